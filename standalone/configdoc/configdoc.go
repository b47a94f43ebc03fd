// Package configdoc writes docs/configuration.md from the Config structs of
// the services.
package configdoc

//go:generate go test . -run TestDoc_is_current -update

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/services/auth"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/gateway"
	"github.com/parley-im/parley/services/social"
)

const intro = `# Configuration

<!-- Generated from the Config structs by "make generate"; do not edit. -->

Everything is set by the environment. A service's own settings carry its name. Those under "All services" may be set once for all, or
for one service with its name before them: ` + "`NATS_URL`" + `, or ` + "`CHAT_NATS_URL`" + ` for chat alone. Durations are written like ` + "`1m30s`" + `, lists with commas.

` + "`go run ./standalone`" + ` sets stores, NATS and Redis by itself, unless ` + "`MONGO_URI`, `NATS_URL` or `REDIS_URL`" + ` name others; ` + "`go run ./standalone -help`" + ` tells
its flags. Every other setting below counts there, too.
`

// service is one section.
type service struct {
	prefix string
	title  string
	cfg    any
}

func services() []service {
	return []service{
		{"AUTH", "auth", &auth.Config{}},
		{"SOCIAL", "social", &social.Config{}},
		{"CHAT", "chat", &chat.Config{}},
		{"GATEWAY", "gateway", &gateway.Config{}},
	}
}

// Render returns the whole document.
func Render() []byte {
	var b strings.Builder
	b.WriteString(intro)
	b.WriteString("\n## All services\n\n" + head)
	seen := map[string][]string{}
	var shared []run.Variable
	for _, s := range services() {
		for _, v := range run.Variables(s.prefix, s.cfg) {
			if v.Shared == "" {
				continue
			}
			if seen[v.Shared] == nil {
				shared = append(shared, v)
			}
			seen[v.Shared] = append(seen[v.Shared], s.title)
		}
	}
	for _, v := range shared {
		if users := seen[v.Shared]; len(users) < len(services()) {
			v.Desc += " Used by " + strings.Join(users, ", ") + "."
		}
		row(&b, v.Shared, v)
	}
	for _, s := range services() {
		fmt.Fprintf(&b, "\n## %s\n\n%s", s.title, head)
		own := slices.DeleteFunc(run.Variables(s.prefix, s.cfg), func(v run.Variable) bool { return v.Shared != "" })
		for _, v := range own {
			row(&b, v.Name, v)
		}
	}
	return []byte(b.String())
}

const head = "| variable | default | |\n|---|---|---|\n"

func row(b *strings.Builder, name string, v run.Variable) {
	value := "`" + v.Default + "`"
	switch {
	case v.Required:
		value = "*required*"
	case v.Default == "":
		value = ""
	}
	fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, value, strings.ReplaceAll(v.Desc, "|", "\\|"))
}
