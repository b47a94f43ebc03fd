package gateway

import (
	"context"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

// listHeads returns where all of the caller's rooms stand. Nearly everybody has
// them on one page; whoever compares the list with rooms that they have joined
// needs all pages, since a room that is missing counts as left.
func listHeads(ctx context.Context, calls *rpc.Client, caller contract.Caller) ([]contract.RoomHeadRev, error) {
	var rooms []contract.RoomHeadRev
	req := contract.ListHeadsRequest{Caller: caller}
	for {
		page, err := rpc.Call(ctx, calls, contract.ListHeads, req)
		if err != nil {
			return nil, err
		}
		if rooms == nil {
			rooms = page.Rooms // spares nearly everybody a copy
		} else {
			rooms = append(rooms, page.Rooms...)
		}
		if page.NextCursor == "" {
			return rooms, nil
		}
		req.Cursor = page.NextCursor
	}
}
