package chat

import (
	"container/list"
	"sort"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// MemoryOptions are the bounds of a [Memory]. If any is zero, it remembers
// nothing.
type MemoryOptions struct {
	PerRoom int              // messages of one room
	Bytes   int              // of all rooms (Record.Size, and a little for each room)
	Age     time.Duration    // since a message was stored
	Now     func() time.Time // required
}

// Memory holds the last messages that this replica stored, so that the page
// that everyone in a busy room asks for need not be read again and again. Of a
// room it holds one stretch: messages that were surely committed, in order and
// without a hole. It is filled by nothing else, and never from a read, which a
// removal could overtake.
//
// It is a help, never the truth: it knows nothing of what other replicas
// store, and of what they remove only what it is told.
//
// One lock guards it, for all rooms: readers share it, and under it a page is
// a copy of pointers.
type Memory struct {
	o MemoryOptions

	mu        sync.RWMutex
	stretches map[string]*stretch // by room
	order     *list.List          // *stretch, the longest unwritten first
	bytes     int
	messages  int
	removals  removals
	epoch     uint64 // raised by DropAll
}

// stretch is the end of a room's log, as far as it is remembered; never empty.
type stretch struct {
	roomID string
	kept   []*remembered // in the order of their seqs, without a hole
	place  *list.Element // in Memory.order
}

// remembered is never changed: who reads it holds no lock.
type remembered struct {
	message contract.Message
	size    int
	at      time.Time // of storing
}

// stretchSize is what a room takes beside its messages.
const stretchSize = 256

// NewMemory returns an empty memory.
func NewMemory(o MemoryOptions) *Memory {
	return &Memory{o: o, stretches: make(map[string]*stretch), order: list.New()}
}

func (s *stretch) first() int64 { return s.kept[0].message.Seq }

func (s *stretch) last() int64 { return s.kept[len(s.kept)-1].message.Seq }

// Moment is when an insert began, counted in what is heard of removals.
type Moment struct{ epoch, removals uint64 }

// Moment is to be taken before messages are inserted.
func (m *Memory) Moment() Moment {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return Moment{m.epoch, m.removals.heard}
}

// Stored remembers what an insert that began at the moment has stored, in the
// order of storing. Messages may have been removed before this is called: what
// was heard of since then is left out.
func (m *Memory) Stored(began Moment, records []Record) {
	if m.o.PerRoom <= 0 || m.o.Bytes <= 0 || m.o.Age <= 0 || len(records) == 0 {
		return
	}
	now := m.o.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if began.epoch != m.epoch {
		return // a removal may have gone unheard
	}
	for _, r := range records {
		if !m.removals.since(began.removals, Place{RoomID: r.RoomID, Seq: r.Seq}) {
			m.add(r, now)
		}
	}
	m.evict(now)
}

// add puts a message at the end of its room's stretch, or begins a new one.
func (m *Memory) add(r Record, now time.Time) {
	to, ok := m.stretches[r.RoomID]
	if ok && to.last()+1 != r.Seq {
		m.drop(to)
		ok = false
	}
	if !ok {
		to = &stretch{roomID: r.RoomID}
		to.place = m.order.PushBack(to)
		m.stretches[r.RoomID] = to
		m.bytes += stretchSize
	}
	one := &remembered{message: r.Message, size: r.Size(), at: now}
	one.message.RoomID = to.roomID // one string for all
	to.kept = append(to.kept, one)
	m.messages++
	m.bytes += one.size
	m.order.MoveToBack(to.place)
	if len(to.kept) > m.o.PerRoom {
		m.shorten(to)
	}
}

// evict forgets the oldest messages of the longest unwritten rooms: beyond the
// bytes allowed, and rooms in which all are too old.
func (m *Memory) evict(now time.Time) {
	for e := m.order.Front(); e != nil; e = m.order.Front() {
		oldest := e.Value.(*stretch)
		switch {
		case now.Sub(oldest.kept[len(oldest.kept)-1].at) >= m.o.Age:
			m.drop(oldest)
		case m.bytes > m.o.Bytes:
			m.shorten(oldest)
		default:
			return
		}
	}
}

// shorten forgets the first message of a stretch.
func (m *Memory) shorten(s *stretch) {
	m.bytes -= s.kept[0].size
	m.messages--
	s.kept[0] = nil
	if s.kept = s.kept[1:]; len(s.kept) == 0 {
		m.drop(s)
	}
}

func (m *Memory) drop(s *stretch) {
	for _, one := range s.kept {
		m.bytes -= one.size
	}
	m.messages -= len(s.kept)
	m.bytes -= stretchSize
	m.order.Remove(s.place)
	delete(m.stretches, s.roomID)
}

// Removed puts a tombstone in the place of a message.
func (m *Memory) Removed(at Place, by string, when contract.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.removals.hear(at)
	s, ok := m.stretches[at.RoomID]
	if !ok || at.Seq < s.first() || at.Seq > s.last() {
		return
	}
	i := at.Seq - s.first()
	old := s.kept[i]
	tomb := Record{Message: old.message}
	tomb.Type, tomb.Content = contract.MessageRemoved, contract.Content{}
	tomb.RemovedBy, tomb.RemovedAt = by, &when
	s.kept[i] = &remembered{message: tomb.Message, size: tomb.Size(), at: old.at}
	m.bytes += s.kept[i].size - old.size
}

// Doubt forgets a message that may have been removed, and with it all before
// it.
func (m *Memory) Doubt(at Place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.removals.hear(at)
	for s, ok := m.stretches[at.RoomID]; ok && s.first() <= at.Seq; s, ok = m.stretches[at.RoomID] {
		m.shorten(s)
	}
}

// DropAll forgets everything, also what is being inserted: removals may have
// been missed.
func (m *Memory) DropAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch++
	clear(m.stretches)
	m.order.Init()
	m.bytes, m.messages = 0, 0
}

// Last is the last seq of a room that is remembered, 0 for none. The room has
// got so far at least.
func (m *Memory) Last(roomID string) int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if s, ok := m.stretches[roomID]; ok {
		return s.last()
	}
	return 0
}

// Page is what a Store's Page returns, as far as it is remembered from its
// beginning on, maybe nothing; whole means that it is all of it.
func (m *Memory) Page(r Range) (page []contract.Message, whole bool) {
	found, whole := m.find(r)
	page = make([]contract.Message, len(found))
	for i, one := range found {
		page[i] = one.message
	}
	return page, whole
}

func (m *Memory) find(r Range) (found []*remembered, whole bool) {
	now := m.o.Now()
	m.mu.RLock()
	defer m.mu.RUnlock()
	of, ok := m.stretches[r.RoomID]
	if !ok || r.From > r.To {
		return nil, r.From > r.To
	}
	kept := of.kept[sort.Search(len(of.kept), func(i int) bool { return now.Sub(of.kept[i].at) < m.o.Age }):]
	begin, end, step := r.From, r.To, int64(1)
	if r.Newest {
		begin, end, step = r.To, r.From, -1
	}
	found = make([]*remembered, 0, min(r.Limit, len(kept)))
	left := r.Bytes
	for seq := begin; len(found) < r.Limit; seq += step {
		if len(kept) == 0 || seq < kept[0].message.Seq || seq > of.last() {
			return found, false
		}
		one := kept[seq-kept[0].message.Seq]
		if left -= one.size; left < 0 && len(found) > 0 {
			return found, true
		}
		if found = append(found, one); seq == end {
			break
		}
	}
	return found, true
}

// Size is how much is remembered.
func (m *Memory) Size() (messages, bytes int) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.messages, m.bytes
}
