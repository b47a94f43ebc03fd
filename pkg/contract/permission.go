package contract

import "slices"

// Permission is what one NATS user may do. An empty list allows nothing.
type Permission struct {
	PublishAllow   []string
	PublishDeny    []string
	SubscribeAllow []string
	SubscribeDeny  []string // "subject queue" denies joining queue groups
}

// SubjectRule is one direction of a permission as NATS understands it: an
// empty list of what is allowed allows everything.
type SubjectRule struct{ Allow, Deny []string }

// Rules are p for a NATS server, where whoever may nothing is denied ">".
func (p Permission) Rules() (publish, subscribe SubjectRule) {
	return subjectRule(p.PublishAllow, p.PublishDeny), subjectRule(p.SubscribeAllow, p.SubscribeDeny)
}

func subjectRule(allow, deny []string) SubjectRule {
	if len(allow) == 0 {
		return SubjectRule{Deny: []string{">"}}
	}
	return SubjectRule{Allow: allow, Deny: deny}
}

// The users beside the services.
const (
	// ObserverUser watches what passes and needs no password on loopback.
	ObserverUser = "observer"
	// OperatorUser may do everything.
	OperatorUser = "operator"
)

// NATSUser is who one part, or a person, is to NATS.
type NATSUser struct {
	Name       string
	Permission Permission
}

// NATSUsers are the services, in the order of [Services], the admin, the
// observer and the operator.
func NATSUsers() []NATSUser {
	var users []NATSUser
	for _, s := range Services() {
		users = append(users, NATSUser{Name: string(s), Permission: Permissions(s)})
	}
	return append(users,
		NATSUser{Name: string(Admin), Permission: AdminPermission()},
		NATSUser{Name: ObserverUser, Permission: ObserverPermission()},
		NATSUser{Name: OperatorUser, Permission: OperatorPermission()})
}

// publicInbox is where the answers to the observer and the operator arrive: the
// inbox prefix of NATS's clients, the CLI among them, unless told otherwise.
const publicInbox = "_INBOX.>"

// noQueues keeps a reader from joining a queue group, where it would swallow
// requests and pushes. "im.> *" would miss queue names with dots.
const noQueues = "> >"

// Permissions derives what a service's NATS user may do from the lists of
// methods, pushes and events: whatever is not named is refused.
func Permissions(s Service) Permission {
	p := Permission{
		SubscribeAllow: []string{s.InboxPrefix() + ".>"},
	}
	p.addMethods(s)
	p.addPushes(s)
	p.addEvents(s)
	p.addPings(s)
	for _, list := range [][]string{p.PublishAllow, p.SubscribeAllow} {
		slices.Sort(list)
	}
	p.PublishAllow = slices.Compact(p.PublishAllow)
	p.SubscribeAllow = slices.Compact(p.SubscribeAllow)
	return p
}

// AdminPermission calls what names admins as callers, finds out which replicas
// run, and looks at the stream of events, but not into it.
func AdminPermission() Permission {
	p := Permissions(Admin)
	for _, s := range Services() {
		for _, verb := range []string{"PING", "INFO", "STATS"} {
			p.PublishAllow = append(p.PublishAllow, "$SRV."+verb+"."+string(s))
		}
	}
	p.PublishAllow = append(p.PublishAllow, "$JS.API.STREAM.INFO."+StreamName)
	slices.Sort(p.PublishAllow)
	p.PublishAllow = slices.Compact(p.PublishAllow)
	return p
}

// ObserverPermission reads live pushes, durable events as they pass, and the
// services' descriptions. Requests are not among it: they carry passwords;
// nor is JetStream's API: whoever may create a consumer can have the server
// publish anywhere.
func ObserverPermission() Permission {
	return Permission{
		PublishAllow:   []string{"$SRV.>"},
		SubscribeAllow: []string{roomRoot + ">", userRoot + ">", AllEvents, "$SRV.>", publicInbox},
		SubscribeDeny:  []string{noQueues},
	}
}

// OperatorPermission is everything.
func OperatorPermission() Permission {
	return Permission{PublishAllow: []string{">"}, SubscribeAllow: []string{">"}}
}

// addMethods lets the service answer its own methods and call those that
// name it as a caller.
func (p *Permission) addMethods(s Service) {
	for _, m := range Methods() {
		if m.Service == s {
			p.SubscribeAllow = append(p.SubscribeAllow, m.Subject)
			if m.Pinned {
				p.SubscribeAllow = append(p.SubscribeAllow, m.Subject+".*")
			}
			for _, caller := range m.Callers {
				p.PublishAllow = append(p.PublishAllow, s.answersTo(caller))
			}
		}
		if slices.Contains(m.Callers, s) {
			p.PublishAllow = append(p.PublishAllow, m.Subject)
			if m.Pinned {
				// Which replicas live is asked of micro.
				p.PublishAllow = append(p.PublishAllow, m.Subject+".*", pingSubject(m.Service))
			}
		}
	}
}

// addPushes lets publishers publish, gateways deliver, and chat see what
// changes a membership, and what its replicas remove.
func (p *Permission) addPushes(s Service) {
	for _, push := range Pushes() {
		if push.Scope != ScopeConn && slices.Contains(push.Publishers, s) {
			subject := EveryRoom(push.Op)
			if push.Scope == ScopeUser {
				subject = EveryUser(push.Op)
			}
			p.PublishAllow = append(p.PublishAllow, subject)
		}
	}
	switch s {
	case Gateway:
		p.SubscribeAllow = append(p.SubscribeAllow, roomRoot+">", userRoot+">")
		p.SubscribeDeny = append(p.SubscribeDeny, noQueues)
	case Chat:
		for _, op := range MembershipOps() {
			p.SubscribeAllow = append(p.SubscribeAllow, EveryRoom(op))
		}
		p.SubscribeAllow = append(p.SubscribeAllow, EventSubjects(Social),
			EveryRoom(MessageRemovedPushed.Op), MessageTombstoned.Subject())
	case Auth, Social, Admin:
	}
}

// MembershipOps are the room pushes after which a cached membership of the
// room may be out of date.
func MembershipOps() []Op {
	return []Op{MemberJoined.Op, MemberLeft.Op, RoomUpdated.Op, RoomDisbanded.Op}
}

// addEvents lets a service put its own events into the stream, and look for
// and create the stream, but not change it or read from it.
func (p *Permission) addEvents(s Service) {
	for _, e := range Events() {
		if e.Service == s {
			p.PublishAllow = append(p.PublishAllow, e.Subject,
				"$JS.API.STREAM.INFO."+StreamName, "$JS.API.STREAM.CREATE."+StreamName)
		}
	}
}

// addPings lets micro answer discovery for the service, to its callers and to
// people. NATS could permit answers to whatever asks instead
// (allow_responses), but would look at no reply subject then: who may only
// call a service, or ping it, could have it publish anywhere.
func (p *Permission) addPings(s Service) {
	if !slices.ContainsFunc(Methods(), func(m MethodInfo) bool { return m.Service == s }) {
		return
	}
	p.PublishAllow = append(p.PublishAllow, publicInbox)
	for _, verb := range []string{"PING", "INFO", "STATS"} {
		p.SubscribeAllow = append(p.SubscribeAllow,
			"$SRV."+verb, "$SRV."+verb+"."+string(s), "$SRV."+verb+"."+string(s)+".*")
	}
}

// pingSubject is where the replicas of a service answer micro's ping.
func pingSubject(s Service) string { return "$SRV.PING." + string(s) }
