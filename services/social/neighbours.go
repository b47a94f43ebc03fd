package social

import (
	"context"
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// neighbours asks the other services.
type neighbours struct{ calls *rpc.Client }

// head is a room's exact head, as chat knows it.
func (n *neighbours) head(ctx context.Context, roomID string) (int64, error) {
	reply, err := rpc.Call(ctx, n.calls, contract.GetHead, contract.HeadRequest{RoomID: roomID})
	return reply.LastSeq, err
}

// byAccount finds a user; NotFound when there is none.
func (n *neighbours) byAccount(ctx context.Context, account string) (contract.Profile, error) {
	return rpc.Call(ctx, n.calls, contract.FindUser, contract.FindUserRequest{Account: account})
}

// profiles returns all of the users, or NotFound.
func (n *neighbours) profiles(ctx context.Context, userIDs ...string) (map[string]contract.Profile, error) {
	reply, err := rpc.Call(ctx, n.calls, contract.GetUsers, contract.GetUsersRequest{UserIDs: userIDs})
	if err != nil {
		return nil, fmt.Errorf("ask for users: %w", err)
	}
	found := make(map[string]contract.Profile, len(reply.Users))
	for _, p := range reply.Users {
		found[p.ID] = p
	}
	if len(found) < len(unique(userIDs, "")) {
		return nil, fault.New(fault.NotFound, "there is no such user")
	}
	return found, nil
}
