package person

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
)

// Log is one room as a client holds it, built by the rule of exactly-once:
// apply what is new and next, drop what was seen, fetch what is missing.
type Log struct {
	RoomID   string
	Messages []contract.Message // in order, each once

	last    int64                      // seq of the last applied
	ahead   map[int64]contract.Message // arrived early
	head    int64                      // the highest seq heard of
	Doubled int                        // pushes dropped because they were known
	Fetched int                        // messages that came by range, not by push
}

// Follow applies a socket's pushes to the room until its log has reached the
// head, repairing gaps over the same socket. The log starts after seq last.
func (s *Socket) Follow(t testing.TB, roomID string, last, head int64) *Log {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l := &Log{RoomID: roomID, last: last, ahead: map[int64]contract.Message{}}
	seen := 0
	for l.last < head {
		s.mu.Lock()
		frames, changed, err := slices.Clone(s.pushes[seen:]), s.changed, s.err
		s.mu.Unlock()
		for _, frame := range frames {
			l.apply(t, frame)
		}
		seen += len(frames)
		if err != nil {
			t.Fatalf("at seq %d of %d: %v", l.last, head, err)
		}
		if l.last < l.head {
			if err := l.repair(ctx, s); err != nil {
				t.Fatalf("repair after seq %d: %v", l.last, err)
			}
		}
		if len(frames) > 0 || l.last >= head {
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("at seq %d of %d, heard of %d", l.last, head, l.head)
		}
	}
	return l
}

func (l *Log) apply(t testing.TB, frame Frame) {
	t.Helper()
	switch frame.Op {
	case contract.MessagePushed.Op:
		var m contract.Message
		if err := json.Unmarshal(frame.Data, &m); err != nil {
			t.Fatal(err)
		}
		if m.RoomID == l.RoomID {
			l.head = max(l.head, m.Seq)
			l.take(m)
		}
	case contract.RoomHeadPushed.Op:
		var h contract.RoomHeadData
		if err := json.Unmarshal(frame.Data, &h); err != nil {
			t.Fatal(err)
		}
		if h.RoomID == l.RoomID {
			l.head = max(l.head, h.LastSeq)
		}
	}
}

// take applies a message when it is next, keeps it when it is early, and
// drops it when it is known.
func (l *Log) take(m contract.Message) {
	if l.known(m.Seq) {
		l.Doubled++
		return
	}
	l.ahead[m.Seq] = m
	for {
		next, ok := l.ahead[l.last+1]
		if !ok {
			return
		}
		delete(l.ahead, next.Seq)
		l.last = next.Seq
		l.Messages = append(l.Messages, next)
	}
}

func (l *Log) known(seq int64) bool {
	_, early := l.ahead[seq]
	return early || seq <= l.last
}

// repair fetches the range that is missing.
func (l *Log) repair(ctx context.Context, s *Socket) error {
	for l.last < l.head {
		reply, err := s.Ask(ctx, contract.OpMessagesGet, map[string]any{"room_id": l.RoomID, "after_seq": l.last, "limit": 200})
		if err != nil {
			return err
		}
		if reply.Op != contract.OpOK {
			return fmt.Errorf("refused: %+v", reply.Error)
		}
		var page contract.HistoryReply
		if err := json.Unmarshal(reply.Data, &page); err != nil {
			return err
		}
		if len(page.Items) == 0 {
			return fmt.Errorf("nothing after %d, but the head is %d", l.last, l.head)
		}
		for _, m := range page.Items {
			if !l.known(m.Seq) {
				l.Fetched++
			}
			l.take(m)
		}
	}
	return nil
}
