// Package audit is what services have in common that admins ask: the check of
// who asks and why, and the events that tell it.
package audit

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
)

// by is the form of the name that an admin gives.
var by = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,64}$`)

// Check checks an act, by this machine's clock, and trims its reason.
func Check(check *fault.Check, act *contract.Act) {
	check.That(by.MatchString(act.By), "act.by", "must be 1 to 64 of A-Z, a-z, 0-9, _, ., @ and -")
	act.Reason = strings.TrimSpace(act.Reason)
	fine := utf8.ValidString(act.Reason) && utf8.RuneCountInString(act.Reason) <= contract.MaxReason &&
		!strings.ContainsFunc(act.Reason, unicode.IsControl)
	check.That(fine, "act.reason", "must be at most 200 characters, none of them control characters")
	check.That(act.AskedAt.IsZero() || recent(act.AskedAt.Time, time.Now()), "act.asked_at",
		"must be less than a minute ago, or ahead, by the clock of the service: ask again, or set the clocks right")
}

// recent is false, too, for a time that would count as recent for as long as the
// clock that made it is ahead.
func recent(asked, now time.Time) bool {
	return now.Sub(asked) < contract.MaxActAge && clock.Believable(asked, now)
}

// Event tells of an act; about has the ids of what it was done to. It belongs
// into the write of the change that it tells of. Events of one key stay in
// order, with those that report the change itself, too.
func Event(kind contract.EventType[contract.AuditEvent], act contract.Act, action, key string, about contract.AuditEvent, now time.Time) (contract.Event, error) {
	about.By, about.Reason, about.Action = act.By, act.Reason, action
	return kind.New(id.New(), key, now, about)
}
