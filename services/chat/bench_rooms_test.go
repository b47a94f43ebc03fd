package chat

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// BenchmarkRooms_List is a page of the room list of someone with 1,000 rooms,
// over SQLite, without the call to social.
func BenchmarkRooms_List(b *testing.B) {
	const rooms = 1_000
	store := newStore(b)
	var mine []contract.Membership
	joined := contract.NewTime(time.Now())
	for i := range rooms {
		room := fmt.Sprintf("01m8aqw27p1afbn88jt4%06d", i)
		fill(b, store, room, 20)
		mine = append(mine, contract.Membership{
			RoomID: room, Type: contract.RoomGroup, Role: contract.RoleMember, FirstSeq: 1, Rev: 1, JoinedAt: joined,
		})
	}
	list := &Rooms{store: store, orders: newRoomOrders(time.Now), list: func(_ context.Context, req contract.MembershipsRequest) ([]contract.Membership, string, error) {
		if len(req.RoomIDs) == 0 {
			return mine, "", nil
		}
		asked := make(map[string]bool)
		for _, room := range req.RoomIDs {
			asked[room] = true
		}
		return slices.DeleteFunc(slices.Clone(mine), func(m contract.Membership) bool { return !asked[m.RoomID] }), "", nil
	}}
	first, err := list.List(context.Background(), contract.ListRoomsRequest{Caller: contract.Caller{UserID: "ann"}, Limit: 50})
	if err != nil {
		b.Fatal(err)
	}
	for name, cursor := range map[string]string{"first": "", "second": first.NextCursor} {
		b.Run(name+"_page", func(b *testing.B) {
			for b.Loop() {
				page, err := list.List(context.Background(), contract.ListRoomsRequest{Caller: contract.Caller{UserID: "ann"}, Limit: 50, Cursor: cursor})
				if err != nil || len(page.Items) != 50 || page.Items[0].LastMessage == nil {
					b.Fatal(len(page.Items), err)
				}
			}
		})
	}
}

// BenchmarkStore_Heads_1000 is the part of it that grows with the rooms.
func BenchmarkStore_Heads_1000(b *testing.B) {
	store := newStore(b)
	rooms := make([]string, 1_000)
	for i := range rooms {
		rooms[i] = fmt.Sprintf("01m8aqw27p1afbn88jt4%06d", i)
		fill(b, store, rooms[i], 20)
	}
	for b.Loop() {
		if heads, err := store.Heads(context.Background(), UserRooms{UserID: "ann", RoomIDs: rooms}); err != nil || len(heads[0]) != len(rooms) {
			b.Fatal(len(heads), err)
		}
	}
}
