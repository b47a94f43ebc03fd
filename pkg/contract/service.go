package contract

// Service names one part of Parley. It is a token of NATS subjects, the NATS
// user of the part, and its name in logs and metrics.
type Service string

// The parts that connect to NATS.
const (
	Auth    Service = "auth"
	Social  Service = "social"
	Chat    Service = "chat"
	Gateway Service = "gateway"
)

// Admin is whoever runs Parley, at parleyctl: a caller of the parts, and none
// of them.
const Admin Service = "admin"

// Services lists the parts in the order in which a system starts them.
func Services() []Service { return []Service{Auth, Social, Chat, Gateway} }

// InboxPrefix is where replies to the service arrive. Each has its own, so
// that none can read another's replies.
func (s Service) InboxPrefix() string { return "_INBOX_" + string(s) }

// answersTo matches the reply subjects at which s answers the calls of caller:
// <caller's inbox prefix>.<s>.>. Callers ask for answers there, and s may
// publish nowhere else in their inboxes: it can answer neither in another's
// place nor, asked to, at a subject that is no inbox at all.
func (s Service) answersTo(caller Service) string {
	return caller.InboxPrefix() + "." + string(s) + ".>"
}

// Caller is the user on whose behalf a gateway calls a service, as its
// verified access token says. Only gateways may publish to the methods that
// take one.
type Caller struct {
	UserID    string `json:"user_id"`
	SessionID string `json:"session_id"`
}
