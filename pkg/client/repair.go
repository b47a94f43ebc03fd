package client

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

const (
	// fetchers is how many ranges are asked for at once: the gateway answers
	// one connection's frames one after the other, so that more only wait there.
	fetchers = 4
	// firstRefetch is the pause after a fetch that failed; it doubles.
	firstRefetch = 250 * time.Millisecond
	// lastRefetch bounds that pause.
	lastRefetch = 15 * time.Second
)

// fetch is a range that is asked for: limit messages after seq.
type fetch struct {
	room  *room
	after int64
	limit int
}

// repair fetches what rooms miss, over one connection, until ctx ends.
func (s *stream) repair(ctx context.Context, c *conn) {
	slots := make(chan struct{}, fetchers)
	var running sync.WaitGroup
	defer running.Wait()
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		f, ok := s.await(ctx)
		if !ok {
			return
		}
		running.Go(func() { // ended by its reply or with the connection; as many as there are slots
			defer func() { <-slots }()
			s.fetch(ctx, c, f)
		})
	}
}

// await returns the next range that is due; false when ctx has ended.
func (s *stream) await(ctx context.Context) (fetch, bool) {
	for {
		f, wait, ok := s.due(time.Now())
		if ok {
			return f, true
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.work:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return fetch{}, false
		}
	}
}

// due picks a room whose time has come, and sets aside room for what it gets;
// or it says how long to wait.
func (s *stream) due(now time.Time) (f fetch, wait time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait = time.Hour // something comes before
	for id, r := range s.behind {
		s.advance(r)
		switch free := s.free(); {
		case !r.behind():
			delete(s.behind, id)
		case r.fetching || free <= 0: // looked at again when it ends, or one is taken
		case r.dueAt.After(now):
			wait = min(wait, r.dueAt.Sub(now))
		default:
			f = fetch{room: r, after: r.cursor, limit: min(free, contract.MaxPage)}
			r.fetching = true
			s.reserved += f.limit
			signal(s.work) // there may be more
			return f, 0, true
		}
	}
	return fetch{}, wait, false
}

func (s *stream) fetch(ctx context.Context, c *conn, f fetch) {
	data, err := c.ask(ctx, contract.OpMessagesGet, contract.GetData{RoomID: f.room.id, AfterSeq: &f.after, Limit: f.limit})
	var page contract.HistoryReply
	if err == nil {
		err = json.Unmarshal(data, &page)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.room.fetching = false
	s.reserved -= f.limit
	defer signal(s.work)
	if err != nil {
		s.missed(f.room, err)
		return
	}
	s.stats.add(func(t *Stats) { t.Repairs++ })
	s.fetched(f, page)
}

// fetched takes in a page. It is the log itself: it has no holes, and where it
// begins later than asked, the user may not read what was before.
func (s *stream) fetched(f fetch, page contract.HistoryReply) {
	r := f.room
	if r.gone {
		return
	}
	r.heard(page.LastSeq)
	got := int64(0)
	for i, m := range page.Items {
		if i == 0 && r.cursor == f.after && m.Seq > r.cursor {
			s.early -= r.jump(m.Seq - 1)
		}
		if m.Seq == r.cursor+1 {
			s.pass(r, m)
			got++
		}
	}
	s.stats.add(func(t *Stats) { t.Fetched += got })
	s.advance(r)
	if len(page.Items) == 0 && r.behind() {
		s.later(r, 0) // what was announced can't be read yet
		return
	}
	r.failures = 0
	s.look(r, 0)
}

// missed draws the conclusion from a fetch that failed.
func (s *stream) missed(r *room, err error) {
	var f *fault.Error
	switch {
	case errors.As(err, &f) && (f.Code == fault.NotFound || f.Code == fault.PermissionDenied):
		s.leave(r)
	case errors.As(err, &f):
		if !f.Code.Temporary() {
			s.log.Warn("fetch missing messages", slog.String("room_id", r.id), slog.Any("error", err))
		}
		s.later(r, f.RetryAfter)
	case errors.Is(err, errLost), errors.Is(err, context.Canceled): // the next connection's ready frame has it looked at
	default:
		s.later(r, 0)
	}
}

// later has the room looked at again after a pause.
func (s *stream) later(r *room, atLeast time.Duration) {
	pause := min(firstRefetch<<min(r.failures, 10), lastRefetch)
	pause = pause/2 + rand.N(pause/2) // jitter, so that a room's members do not all ask at once
	r.failures++
	r.dueAt = time.Now().Add(max(atLeast, pause))
}
