package contract_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
)

func TestRoomSubject(t *testing.T) {
	for name, c := range map[string]struct {
		id   string
		want string // empty: refused
	}{
		"an id":            {"01hzx-A_z", "im.room.01hzx-A_z.message"},
		"the longest id":   {strings.Repeat("a", 64), "im.room." + strings.Repeat("a", 64) + ".message"},
		"one too long":     {strings.Repeat("a", 65), ""},
		"an empty id":      {"", ""},
		"every room":       {"*", ""},
		"everything":       {">", ""},
		"a second token":   {"a.b", ""},
		"an empty token":   {"a..b", ""},
		"a space":          {"a b", ""},
		"a line break":     {"a\r\nPUB", ""},
		"another alphabet": {"комната", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := contract.RoomSubject(c.id, contract.MessagePushed.Op)
			if c.want == "" {
				if !errors.Is(err, contract.ErrUnsafeID) {
					t.Fatalf("got %q, %v; want ErrUnsafeID", got, err)
				}
				return
			}
			if err != nil || got != c.want {
				t.Fatalf("got %q, %v; want %q", got, err, c.want)
			}
			id, op, ok := contract.ParseRoomSubject(got)
			if !ok || id != c.id || op != contract.MessagePushed.Op {
				t.Fatalf("parsed as %q, %q, %v", id, op, ok)
			}
		})
	}
}

func TestReplicaSubject_refuses_an_unsafe_replica(t *testing.T) {
	if got, err := contract.SendMessage.ReplicaSubject(">"); !errors.Is(err, contract.ErrUnsafeID) {
		t.Fatalf("got %q, %v", got, err)
	}
	got, err := contract.SendMessage.ReplicaSubject("r1")
	if err != nil || got != "im.svc.chat.send.r1" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func FuzzSubject(f *testing.F) {
	for _, s := range []string{"a", "", ">", "*", "a.b", "a b", "\x00", strings.Repeat("x", 65), "é"} {
		f.Add(s, "message")
	}
	f.Fuzz(func(t *testing.T, id, op string) {
		subject, err := contract.UserSubject(id, contract.FriendAdded.Op)
		if (err == nil) != contract.ValidID(id) {
			t.Fatalf("%q: valid %v, but %v", id, contract.ValidID(id), err)
		}
		if err == nil {
			if strings.Count(subject, ".") != 4 || strings.ContainsAny(subject, "*> \t\r\n") {
				t.Fatalf("unsafe subject %q", subject)
			}
			if got, gotOp, ok := contract.ParseUserSubject(subject); !ok || got != id || gotOp != contract.FriendAdded.Op {
				t.Fatalf("%q parsed as %q, %q, %v", subject, got, gotOp, ok)
			}
		}
		// Whatever a subject holds, parsing finds a safe id or none.
		if got, _, ok := contract.ParseRoomSubject("im.room." + id + "." + op); ok && !contract.ValidID(got) {
			t.Fatalf("parsed the unsafe id %q", got)
		}
	})
}
