package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

func TestMayRemove(t *testing.T) {
	now := time.Now()
	sent := func(ago time.Duration) contract.Message {
		return contract.Message{SenderID: "ann", SentAt: contract.NewTime(now.Add(-ago))}
	}
	group := func(r contract.Role) contract.Membership {
		return contract.Membership{Type: contract.RoomGroup, Role: r}
	}
	direct := contract.Membership{Type: contract.RoomDirect, Role: contract.RoleMember}
	for name, c := range map[string]struct {
		m    contract.Membership
		by   string
		ago  time.Duration
		want fault.Code
	}{
		"its sender, at once":        {group(contract.RoleMember), "ann", time.Second, ""},
		"its sender, too late":       {group(contract.RoleMember), "ann", 3 * time.Minute, fault.FailedPrecondition},
		"another member":             {group(contract.RoleMember), "ben", time.Second, fault.PermissionDenied},
		"an admin, days later":       {group(contract.RoleAdmin), "ben", 48 * time.Hour, ""},
		"the owner, days later":      {group(contract.RoleOwner), "ben", 48 * time.Hour, ""},
		"its sender in a friendship": {direct, "ann", time.Second, ""},
		"the friend":                 {direct, "ben", time.Second, fault.PermissionDenied},
		"an owner of a friendship":   {contract.Membership{Type: contract.RoomDirect, Role: contract.RoleOwner}, "ben", time.Second, fault.PermissionDenied},
	} {
		t.Run(name, func(t *testing.T) {
			err := mayRemove(c.m, sent(c.ago), c.by, now, 2*time.Minute)
			if c.want == "" && err != nil || c.want != "" && !fault.Is(err, c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestRemover_Remove(t *testing.T) {
	store := newStore(t)
	fill(t, store, "room", 4) // sent by ann
	d := newDirectory(t)
	d.put("room", "ann", 1)
	d.put("room", "ben", 1)
	d.change("room", "ben", 1, func(m *contract.Membership) { m.FirstSeq = 3 })
	at := time.Now()
	remover := &Remover{store: store, memory: testMemory(), members: d.members, within: 2 * time.Minute, now: func() time.Time { return at }}
	remove := func(user string, seq int64) (contract.MessageRemovedData, error) {
		return remover.Remove(within(t), contract.MessageRequest{Caller: contract.Caller{UserID: user}, RoomID: "room", Seq: seq})
	}

	first, err := remove("ann", 4)
	if err != nil || first.RemovedBy != "ann" || first.Seq != 4 || first.RemovedAt != contract.NewTime(at) {
		t.Fatalf("%+v, %v", first, err)
	}
	at = at.Add(time.Hour) // too late for a message that is still there
	for _, user := range []string{"ann", "ben"} {
		if again, err := remove(user, 4); err != nil || again != first {
			t.Fatalf("again by %s: %+v, %v", user, again, err)
		}
	}
	for name, c := range map[string]struct {
		user string
		seq  int64
		want fault.Code
	}{
		"too late":                  {"ann", 3, fault.FailedPrecondition},
		"another's":                 {"ben", 3, fault.PermissionDenied},
		"from before they joined":   {"ben", 2, fault.NotFound},
		"that is not there":         {"ann", 5, fault.NotFound},
		"by someone who is outside": {"cem", 4, fault.NotFound},
	} {
		if _, err := remove(c.user, c.seq); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if events, err := store.Pending(within(t), 10); err != nil || len(events) != 1 || events[0].Key != "room" {
		t.Fatalf("%d events, %v", len(events), err)
	}
}

func TestRemover_and_memory(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*faulty) // what becomes of the removal
		fails bool
		want  string // what is remembered of 1 to 4, when 3 was to be removed
	}{
		"a tombstone is remembered":           {func(*faulty) {}, false, "1 2 [3] 4"},
		"one from before is, too":             {func(s *faulty) { s.bury(t, "room", 3) }, false, "1 2 [3] 4"},
		"an outcome that is not known is not": {func(s *faulty) { s.onRemove = errBroken }, true, "4"},
		"one that cannot be read is not":      {func(s *faulty) { s.onRemoved = func() { s.onRead = func(context.Context) error { return errBroken } } }, true, "4"},
	} {
		t.Run(name, func(t *testing.T) {
			store, memory := &faulty{Store: newStore(t)}, testMemory()
			fill(t, store.Store, "room", 4)
			remember(memory, stored(t, store.Store, "room"))
			d := newDirectory(t)
			d.put("room", "ann", 1)
			remover := &Remover{store: store, memory: memory, members: d.members, within: time.Hour, now: time.Now}
			c.spoil(store)
			_, err := remover.Remove(within(t), contract.MessageRequest{Caller: contract.Caller{UserID: "ann"}, RoomID: "room", Seq: 3})
			if (err != nil) != c.fails {
				t.Fatal(err)
			}
			wantHeld(t, memory, "room", c.want)
			store.onRead = nil
			for _, m := range stored(t, store, "room") {
				page, whole := memory.Page(Range{RoomID: "room", From: m.Seq, To: m.Seq, Limit: 1})
				if whole && !equalJSON(t, page[0], m.Message) {
					t.Fatalf("remembered is %+v, stored %+v", page[0], m.Message)
				}
			}
		})
	}
}

// bury removes a message from the store, as another replica does.
func (s *faulty) bury(t testing.TB, room string, seq int64) Removal {
	t.Helper()
	r := Removal{Place: Place{RoomID: room, Seq: seq}, By: "ben", At: contract.NewTime(time.Now())}
	e, err := tombstoned(r)
	if err != nil {
		t.Fatal(err)
	}
	r.Events = []contract.Event{e}
	if _, err := s.Store.Remove(within(t), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// equalJSON compares as clients do: pointers by what they point to.
func equalJSON(t testing.TB, a, b any) bool {
	t.Helper()
	left, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	right, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(left, right)
}
