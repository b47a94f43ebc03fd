package auth

import (
	"context"
	"log/slog"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

// announceWait bounds the wait for social to tell.
const announceWait = 2 * time.Second

// neighbours asks the other services.
type neighbours struct {
	calls *rpc.Client
	log   *slog.Logger
}

// announce has social tell those who know a user that they are gone, or back.
// Whoever is not told sees it when they read next.
func (n *neighbours) announce(ctx context.Context, userID string, gone bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceWait)
	defer cancel()
	if _, err := rpc.Call(ctx, n.calls, contract.AnnounceUser, contract.AnnounceUserRequest{UserID: userID, Disabled: gone}); err != nil {
		n.log.WarnContext(ctx, "announce that a user is gone, or back", "err", err)
	}
}
