package auth

import (
	"context"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
)

// pushes tells gateways at once which sessions have ended. What does not get
// through is in what list_revoked answers.
type pushes struct{ *bus.Pusher }

// revoked tells that a session has ended, and until when a token of it may
// live.
func (p *pushes) revoked(ctx context.Context, s Session, until contract.Time) {
	bus.Push(ctx, p.Pusher, contract.SessionRevoked, s.UserID, contract.SessionRevokedData{SessionID: s.ID, Reason: s.Reason, Until: until})
}
