package auth

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
)

// keysKey is the key of audit events that are about no user: those about
// signing keys stay in order.
const keysKey = "keys"

// byForm is of the name that an admin gives.
var byForm = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,64}$`)

// checkAct checks who asks, and why. The reason lands in the audit event.
func checkAct(check *fault.Check, act *contract.Act) {
	check.That(byForm.MatchString(act.By), "act.by", "must be 1 to 64 of A-Z, a-z, 0-9, _, ., @ and -")
	act.Reason = strings.TrimSpace(act.Reason)
	check.That(utf8.ValidString(act.Reason) && utf8.RuneCountInString(act.Reason) <= contract.MaxReason &&
		!strings.ContainsFunc(act.Reason, unicode.IsControl), "act.reason", "must be at most 200 characters, none of them control characters")
}

// audit is the event about an act; about says, with the ids in it, what was
// done to. Events of one key stay in order.
func audit(act contract.Act, action, key string, about contract.AuditEvent, now time.Time) (contract.Event, error) {
	about.By, about.Reason, about.Action = act.By, act.Reason, action
	return contract.AuthAudit.New(id.New(), key, now, about)
}
