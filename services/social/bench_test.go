package social_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/services/social"
)

var benchNow = contract.NewTime(time.Now())

func openBench(b *testing.B) social.Store {
	b.Helper()
	s, err := social.OpenStore(context.Background(), "sqlite:"+filepath.Join(b.TempDir(), "social.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// groupOf is a group of ann and n-1 others, as it was made.
func groupOf(n int) social.Room {
	r := social.Room{ID: id.New(), Name: "group", History: contract.HistoryJoined, CreatedBy: "ann", CreatedAt: benchNow, Rev: 1}
	for i := range n {
		m := social.Member{UserID: fmt.Sprintf("01m8aqw27p1afbn88jt4%06d", i), Role: contract.RoleMember, FirstSeq: 1, JoinedAt: benchNow}
		if i == 0 {
			m.UserID, m.Role = "ann", contract.RoleOwner
		}
		r.Members = append(r.Members, m)
	}
	return r
}

func saveBench(b *testing.B, s social.Store, r social.Room) {
	b.Helper()
	if err := s.SaveRoom(context.Background(), r, nil); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkStore_1000_rooms is what a page of the room list asks of social, of
// someone with 500 friends and 500 groups of ten.
func BenchmarkStore_1000_rooms(b *testing.B) {
	ctx, s := context.Background(), openBench(b)
	var rooms []string
	for i := range 500 {
		r := groupOf(10)
		saveBench(b, s, r)
		a, c := id.Sort("ann", fmt.Sprintf("01m8aqw27p1afbn88jt4%06d", i))
		f := social.Friendship{ID: id.Pair(a, c), A: a, B: c, State: social.StateFriends, Since: benchNow, CreatedAt: benchNow, Rev: 1}
		if err := s.SaveFriendship(ctx, f, nil); err != nil {
			b.Fatal(err)
		}
		rooms = append(rooms, r.ID, f.ID)
	}
	b.Run("memberships", func(b *testing.B) {
		for b.Loop() {
			if all, err := s.Memberships(ctx, "ann"); err != nil || len(all[0]) != len(rooms) {
				b.Fatal(len(all), err)
			}
		}
	})
	b.Run("memberships_as_JSON", func(b *testing.B) {
		lists, err := s.Memberships(ctx, "ann")
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			data, err := json.Marshal(contract.NewMembershipsReply(lists[0]))
			if err != nil {
				b.Fatal(err)
			}
			var reply contract.MembershipsReply
			if err := json.Unmarshal(data, &reply); err != nil {
				b.Fatal(err)
			}
			if rows, err := reply.Rows(); err != nil || len(rows) != len(rooms) {
				b.Fatal(len(rows), err)
			}
		}
	})
	b.Run("infos_of_a_page", func(b *testing.B) {
		for b.Loop() {
			if infos, err := s.RoomInfos(ctx, "ann", rooms[:50]); err != nil || len(infos) != 50 {
				b.Fatal(len(infos), err)
			}
		}
	})
}

// BenchmarkStore_group_of_2000 is what a group of the greatest size costs: one
// more member, and one member's place in it, which each sender is asked for.
func BenchmarkStore_group_of_2000(b *testing.B) {
	ctx, s := context.Background(), openBench(b)
	r := groupOf(2_000)
	saveBench(b, s, r)
	b.Run("membership", func(b *testing.B) {
		for b.Loop() {
			if reply, err := s.Membership(ctx, r.ID, "ann"); err != nil || !reply.Member || reply.MemberCount != 2_000 {
				b.Fatal(reply, err)
			}
		}
	})
	b.Run("room", func(b *testing.B) {
		for b.Loop() {
			if got, err := s.Room(ctx, r.ID); err != nil || len(got.Members) != 2_000 {
				b.Fatal(err)
			}
		}
	})
	b.Run("save_one_role", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			r.Rev++
			r.Members[1].Role = []contract.Role{contract.RoleAdmin, contract.RoleMember}[i%2]
			saveBench(b, s, r)
		}
	})
	b.Run("save_200_more_of_2000", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			grown := groupOf(1_800)
			saveBench(b, s, grown)
			b.StartTimer()
			grown.Rev, grown.Members = 2, append(grown.Members, groupOf(2_000).Members[1_800:]...)
			saveBench(b, s, grown)
		}
	})
	b.Run("make", func(b *testing.B) {
		for b.Loop() {
			saveBench(b, s, groupOf(2_000))
		}
	})
}
