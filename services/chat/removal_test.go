package chat

import (
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
	remover := &Remover{store: store, members: d.members, within: 2 * time.Minute, now: func() time.Time { return at }}
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
