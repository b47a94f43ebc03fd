// Package natsdoc writes docs/nats.md from the lists in package contract.
package natsdoc

//go:generate go test . -run TestDoc_is_current -update

import (
	"fmt"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
)

const intro = `# NATS: what passes between the parts

<!-- Generated from pkg/contract by "make generate"; do not edit. -->

Every subject below is built in ` + "`pkg/contract`" + ` and nowhere else. Payloads are JSON. Ids in subjects match
` + "`^[A-Za-z0-9_-]{1,64}$`" + `; nothing that a user typed enters a subject. W3C ` + "`traceparent`" + ` travels in the headers,
of pushes only when it is recorded, and the id of the client's request in ` + "`" + contract.HeaderRequestID + "`" + `, of requests only.

| subject | kind |
|---|---|
| ` + "`im.svc.<service>.<method>`" + ` | request/reply in a queue group: any replica answers |
| ` + "`im.svc.<service>.<method>.<replica>`" + ` | request/reply with one replica, for pinned methods |
| ` + "`im.room.<room_id>.<op>`" + ` | live push to the gateways with a member of the room connected |
| ` + "`im.user.<user_id>.<op>`" + ` | live push to the gateways with the user connected |
| ` + "`im.evt.<service>.<event>`" + ` | durable, in the JetStream stream ` + "`" + contract.StreamName + "`" + ` |

A push's payload is byte for byte the frame that clients get.
`

// Render returns the whole document.
func Render() []byte {
	var b strings.Builder
	b.WriteString(intro)
	methods(&b)
	pushes(&b)
	events(&b)
	permissions(&b)
	return []byte(b.String())
}

func methods(b *strings.Builder) {
	b.WriteString("\n## Methods\n\nErrors are faults: JSON `{code, detail, errors}` in the body, the HTTP status in `Nats-Service-Error-Code`.\n" +
		"A repeatable method may run again with the same request, which changes nothing more: a caller who gets no answer sends it again.\n" +
		"A request of a grouped method may hold several calls, as many as its header `Parley-Group` says: its body is then an array of them,\n" +
		"and the answer one of `{\"reply\":…}`, `{\"fault\":…}` or, for what is to be sent again by itself, `{\"alone\":true}`, in the same order.\n")
	var last contract.Service
	for _, m := range contract.Methods() {
		if m.Service != last {
			last = m.Service
			fmt.Fprintf(b, "\n### %s\n\n| subject | request → reply | called by | |\n|---|---|---|---|\n", m.Service)
		}
		doc := m.Doc
		if m.Pinned {
			doc += " Pinned."
		}
		if m.Repeatable {
			doc += " Repeatable."
		}
		if m.Grouped > 0 {
			doc += fmt.Sprintf(" Grouped, up to %d.", m.Grouped)
		}
		fmt.Fprintf(b, "| `%s` | `%s` → `%s` | %s | %s |\n", m.Subject, m.Request, m.Reply, names(m.Callers), doc)
	}
}

func pushes(b *strings.Builder) {
	b.WriteString("\n## Live pushes\n\nAt most once; a client repairs messages by `seq` and everything else by reading it again.\n\n")
	b.WriteString("| op | subject | published by | data | |\n|---|---|---|---|---|\n")
	for _, p := range contract.Pushes() {
		fmt.Fprintf(b, "| `%s` | %s | %s | `%s` | %s |\n", p.Op, pushSubject(p), names(p.Publishers), p.Data, p.Doc)
	}
}

func pushSubject(p contract.PushInfo) string {
	switch p.Scope {
	case contract.ScopeRoom:
		return fmt.Sprintf("`im.room.<room_id>.%s`", p.Op)
	case contract.ScopeUser:
		return fmt.Sprintf("`im.user.<user_id>.%s`", p.Op)
	case contract.ScopeConn:
	}
	return "not over NATS"
}

func events(b *strings.Builder) {
	fmt.Fprintf(b, "\n## Durable events\n\nIn stream `%s`, at least once, with a stable `Nats-Msg-Id`. Events of one record (a room, a friendship, a user, a session) are in the order of its revisions; on MongoDB, events of different records follow the clocks of the replicas. ", contract.StreamName)
	b.WriteString("The payload is `{id, type, at, data}`.\n\n| subject | data | |\n|---|---|---|\n")
	for _, e := range contract.Events() {
		fmt.Fprintf(b, "| `%s` | `%s` | %s |\n", e.Subject, e.Data, e.Doc)
	}
}

func permissions(b *strings.Builder) {
	b.WriteString("\n## Permissions\n\nOne NATS user per service; what is not listed is refused. `_INBOX_<caller>.<service>.>` is where a service answers its\n" +
		"callers, and `_INBOX.>` where it answers people who ask what runs; it answers nowhere else, whatever a request asks for.\n")
	for _, u := range contract.NATSUsers() {
		permission(b, u.Name, u.Permission)
	}
}

func permission(b *strings.Builder, user string, p contract.Permission) {
	fmt.Fprintf(b, "\n### %s\n\n", user)
	for _, row := range []struct {
		title string
		list  []string
	}{
		{"publishes", p.PublishAllow},
		{"never publishes", p.PublishDeny},
		{"subscribes", p.SubscribeAllow},
		{"never subscribes", p.SubscribeDeny},
	} {
		if len(row.list) > 0 {
			fmt.Fprintf(b, "- %s: `%s`\n", row.title, strings.Join(row.list, "`, `"))
		}
	}
}

func names(services []contract.Service) string {
	list := make([]string, len(services))
	for i, s := range services {
		list[i] = string(s)
	}
	return strings.Join(list, ", ")
}
