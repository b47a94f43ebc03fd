package chat

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// toldReads is what Receipts published, in order.
type toldReads struct {
	mu   sync.Mutex
	list []receipt
}

// receipt is one push; own when it went to the reader's own devices.
type receipt struct {
	roomID string
	reads  []Position
	own    bool
}

func (o *toldReads) add(r receipt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = append(o.list, r)
}

func (o *toldReads) Read(_ context.Context, p Position) {
	o.add(receipt{p.RoomID, []Position{p}, false})
}

func (o *toldReads) Reads(_ context.Context, roomID string, reads []Position) {
	o.add(receipt{roomID, slices.Clone(reads), false})
}

func (o *toldReads) ReadByThemselves(_ context.Context, p Position) {
	o.add(receipt{p.RoomID, []Position{p}, true})
}

func (o *toldReads) all() []receipt {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.list)
}

// startReceipts runs Receipts until the test ends, or stop is called.
func startReceipts(t *testing.T, o ReceiptsOptions) (r *Receipts, out *toldReads, stop func()) {
	t.Helper()
	out = &toldReads{}
	r = NewReceipts(out, o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }() // ends with ctx; stop waits
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return r, out, stop
}

func TestReceipts_gather(t *testing.T) {
	ctx := context.Background()

	t.Run("the_first_goes_out_at_once_and_the_others_together", func(t *testing.T) {
		r, out, stop := startReceipts(t, ReceiptsOptions{Window: time.Hour, Audience: 250})
		for round := range int64(2) {
			for i := range 250 {
				r.Read(ctx, position(fmt.Sprint("user-", i), 10-round), 250)
			}
		}
		if got := out.all(); len(got) != 1 || got[0].reads[0] != position("user-0", 10) {
			t.Fatalf("told at once: %+v", got)
		}
		stop() // the end of a window is told the same
		latest := map[string]int64{}
		got := out.all()[1:]
		for _, push := range got {
			if len(push.reads) > contract.MaxReads || push.own {
				t.Errorf("a push of %d positions, own %v", len(push.reads), push.own)
			}
			for _, p := range push.reads {
				if _, twice := latest[p.UserID]; twice {
					t.Errorf("%s is told of twice", p.UserID)
				}
				latest[p.UserID] = p.Seq
			}
		}
		if len(got) != 3 || len(latest) != 250 || latest["user-7"] != 10 || latest["user-0"] != 9 {
			t.Fatalf("%d pushes of %d users, %v", len(got), len(latest), latest)
		}
	})

	t.Run("windows_follow_each_other_until_nothing_is_read", func(t *testing.T) {
		r, out, _ := startReceipts(t, ReceiptsOptions{Window: 20 * time.Millisecond, Audience: 100})
		r.Read(ctx, position("a", 1), 3)
		r.Read(ctx, position("b", 1), 3)
		r.Read(ctx, position("c", 1), 3)
		await(t, "the end of the window", func() bool { return len(out.all()) == 2 })
		if second := out.all()[1]; len(second.reads) != 2 {
			t.Fatalf("told %+v", second)
		}
		await(t, "a window in which nothing is read", func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return len(r.rooms) == 0 && len(r.queue) == 0
		})
		r.Read(ctx, position("a", 2), 3)
		if got := out.all(); len(got) != 3 || got[2].reads[0] != position("a", 2) {
			t.Fatalf("told %+v", got)
		}
	})

	t.Run("rooms_are_told_apart", func(t *testing.T) {
		r, out, stop := startReceipts(t, ReceiptsOptions{Window: time.Hour, Audience: 100})
		for _, room := range []string{"x", "y"} {
			for _, user := range []string{"a", "b", "c"} {
				r.Read(ctx, Position{UserID: user, RoomID: room, Seq: 1}, 3)
			}
		}
		stop()
		got := out.all()
		if len(got) != 4 || len(got[2].reads) != 2 || got[2].roomID != "x" || len(got[3].reads) != 2 || got[3].roomID != "y" {
			t.Fatalf("told %+v", got)
		}
		for _, push := range got {
			for _, p := range push.reads {
				if p.RoomID != push.roomID {
					t.Errorf("%s is told of %+v", push.roomID, p)
				}
			}
		}
	})

	t.Run("in_a_larger_room_only_the_reader_is_told", func(t *testing.T) {
		r, out, _ := startReceipts(t, ReceiptsOptions{Window: time.Hour, Audience: 100})
		for i := range 101 {
			r.Read(ctx, position(fmt.Sprint("user-", i), 1), 101)
		}
		got := out.all()
		if len(got) != 101 || slices.ContainsFunc(got, func(push receipt) bool { return !push.own }) {
			t.Fatalf("%d pushes", len(got))
		}
		r.Read(ctx, position("a", 1), 100)
		if got := out.all(); got[len(got)-1].own {
			t.Error("a room of the largest size is not told")
		}
	})

	t.Run("without_a_window_each_goes_out_by_itself", func(t *testing.T) {
		r, out, _ := startReceipts(t, ReceiptsOptions{Audience: 100})
		for i := range 10 {
			r.Read(ctx, position(fmt.Sprint("user-", i), 1), 10)
		}
		if got := out.all(); len(got) != 10 {
			t.Fatalf("%d pushes", len(got))
		}
	})

	t.Run("the_rooms_that_gather_are_bounded", func(t *testing.T) {
		r, out, _ := startReceipts(t, ReceiptsOptions{Window: time.Hour, Audience: 100})
		for i := range maxReadWindows + 5 {
			for _, user := range []string{"a", "b"} {
				r.Read(ctx, Position{UserID: user, RoomID: fmt.Sprint("room-", i), Seq: 1}, 2)
			}
		}
		if len(r.rooms) != maxReadWindows || len(out.all()) != maxReadWindows+10 {
			t.Fatalf("%d rooms gather, %d pushes", len(r.rooms), len(out.all()))
		}
	})
}
