package social

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/revision"
)

// conflicts counts the writes of rooms that come too late.
type conflicts struct {
	Store
	n atomic.Int64
}

func (c *conflicts) SaveRoom(ctx context.Context, r Room, events []contract.Event) error {
	err := c.Store.SaveRoom(ctx, r, events)
	if errors.Is(err, revision.ErrConflict) {
		c.n.Add(1)
	}
	return err
}

// TestGroups_many_leave_at_once has each leave by one write.
func TestGroups_many_leave_at_once(t *testing.T) {
	g, _ := rules(t, 2000, 1000)
	counted := &conflicts{Store: g.store}
	g.store = counted
	room := Room{ID: "room", Members: []Member{{UserID: "owner", Role: contract.RoleOwner, FirstSeq: 1}}}
	for i := range 400 {
		room.Members = append(room.Members, Member{UserID: fmt.Sprint("u", i), Role: contract.RoleMember, FirstSeq: 1})
	}
	if err := g.save(t.Context(), &room, contract.GroupCreated, contract.RoomEvent{}); err != nil {
		t.Fatal(err)
	}
	var leaving sync.WaitGroup
	for _, m := range room.Members[1:] {
		leaving.Go(func() {
			if _, _, err := g.remove(t.Context(), m.UserID, room.ID, m.UserID); err != nil {
				t.Error(err)
			}
		})
	}
	leaving.Wait()
	if n := counted.n.Load(); n > 0 {
		t.Errorf("%d writes came too late", n)
	}
	left, err := g.store.Room(t.Context(), room.ID)
	if err != nil || len(left.Members) != 1 || left.Rev != 401 {
		t.Errorf("left is %+v, %v", left, err)
	}
	if len(g.turns.rooms) > 0 {
		t.Error("turns of rooms that nobody changes are kept")
	}
}

func TestTurns_of_one_who_gives_up(t *testing.T) {
	var rooms turns
	done, err := rooms.take(t.Context(), "room")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rooms.take(ctx, "room"); !errors.Is(err, context.Canceled) {
		t.Errorf("took a turn that is taken: %v", err)
	}
	done()
	if len(rooms.rooms) > 0 {
		t.Error("the turn is kept")
	}
}
