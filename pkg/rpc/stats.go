package rpc

import (
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/parley-im/parley/pkg/fault"
)

// tally is what `nats micro stats` shows of a method beside micro's own
// figures, of which only num_requests holds here: micro's times end where the
// request is handed to a worker, and it does not see the worker's errors.
type tally struct {
	answered, faults, nanoseconds atomic.Int64
}

func (t *tally) ended(f *fault.Error, took time.Duration) {
	t.answered.Add(1)
	t.nanoseconds.Add(int64(took))
	if f != nil {
		t.faults.Add(1)
	}
}

// Stats is the data that the server adds to micro's statistics of each
// endpoint. A pinned method's two endpoints show the same sums.
type Stats struct {
	Answered  int64   `json:"answered"`
	Faults    int64   `json:"faults"`     // of Answered
	AverageMS float64 `json:"average_ms"` // from arrival to answer
}

func (t *tally) stats() Stats {
	s := Stats{Answered: t.answered.Load(), Faults: t.faults.Load()}
	if s.Answered > 0 {
		s.AverageMS = float64(t.nanoseconds.Load()) / float64(s.Answered) / float64(time.Millisecond)
	}
	return s
}

// stats is micro's StatsHandler.
func (s *Server) stats(e *micro.Endpoint) any {
	for _, ep := range s.endpoints {
		if e.Subject == ep.subject || e.Subject == ep.replica {
			return ep.tally.stats()
		}
	}
	return nil
}
