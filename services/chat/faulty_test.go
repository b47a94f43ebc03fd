package chat

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/pkg/contract"
)

// faulty is a real store whose inserts and reads go wrong, and are counted.
type faulty struct {
	Store
	onAppend  func(context.Context, []Record) (int, error)
	onRead    func(context.Context) error // before Tails, ByClientID, Page and Messages; nil: nothing
	onRemove  error                       // in place of Remove
	onRemoved func()                      // after Remove; nil: nothing

	tails, pages atomic.Int64

	mu   sync.Mutex
	seen [][]Record
}

func (s *faulty) Append(ctx context.Context, r []Record) (int, error) {
	s.mu.Lock()
	s.seen = append(s.seen, slices.Clone(r))
	s.mu.Unlock()
	return s.onAppend(ctx, r)
}

func (s *faulty) Tails(ctx context.Context, rooms []string) (map[string]int64, error) {
	s.tails.Add(1)
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	return s.Store.Tails(ctx, rooms)
}

func (s *faulty) ByClientID(ctx context.Context, keys []Key) (map[Key]Record, error) {
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	return s.Store.ByClientID(ctx, keys)
}

func (s *faulty) Page(ctx context.Context, r Range) ([]Record, error) {
	s.pages.Add(1)
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	return s.Store.Page(ctx, r)
}

func (s *faulty) Messages(ctx context.Context, at []Place) (map[string]Record, error) {
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	return s.Store.Messages(ctx, at)
}

func (s *faulty) Remove(ctx context.Context, r Removal) (bool, error) {
	if s.onRemove != nil {
		return false, s.onRemove
	}
	removed, err := s.Store.Remove(ctx, r)
	if s.onRemoved != nil {
		s.onRemoved()
	}
	return removed, err
}

func (s *faulty) read(ctx context.Context) error {
	if s.onRead == nil {
		return nil
	}
	return s.onRead(ctx)
}

// batches are the inserts that were tried, at least one of them.
func (s *faulty) batches() [][]Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) == 0 {
		return [][]Record{nil}
	}
	return slices.Clone(s.seen)
}

// recorder is an Announcer that notes everything.
type recorder struct {
	mu     sync.Mutex
	pushed map[string][]contract.Message
	said   map[string][]int64
}

func newRecorder() *recorder {
	return &recorder{pushed: make(map[string][]contract.Message), said: make(map[string][]int64)}
}

func (r *recorder) Message(_ context.Context, m contract.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pushed[m.RoomID] = append(r.pushed[m.RoomID], m)
}

func (r *recorder) Head(room string, seq int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said[room] = append(r.said[room], seq)
}

func (r *recorder) messages(room string) []contract.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.pushed[room])
}

func (r *recorder) heads(room string) []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.said[room])
}

// head is the last that was announced, 0 for none.
func (r *recorder) head(room string) int64 {
	heads := r.heads(room)
	if len(heads) == 0 {
		return 0
	}
	return heads[len(heads)-1]
}

// known is the highest seq that a listener has heard of.
func (r *recorder) known(room string) int64 {
	seq := r.head(room)
	for _, m := range r.messages(room) {
		seq = max(seq, m.Seq)
	}
	return seq
}

// nowhere is an Announcer that nobody hears.
type nowhere struct{}

func (nowhere) Message(context.Context, contract.Message) {}
func (nowhere) Head(string, int64)                        {}
