package auth

import (
	"time"

	"github.com/parley-im/parley/pkg/audit"
	"github.com/parley-im/parley/pkg/contract"
)

// keysKey is the key of audit events that are about no user: those about
// signing keys stay in order.
const keysKey = "keys"

// audited is the event about an act; about says, with the ids in it, what was
// done to. Events of one key stay in order.
func audited(act contract.Act, action, key string, about contract.AuditEvent, now time.Time) (contract.Event, error) {
	return audit.Event(contract.AuthAudit, act, action, key, about, now)
}
