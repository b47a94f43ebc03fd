package rpc

import (
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
)

// inbox is where the answers to all calls of a client arrive, on one
// subscription. nats.go has the like behind Request, which waits for the
// answer to one try, and for nothing else: not for the connection to break,
// nor for an earlier try's answer that is only late.
type inbox struct {
	nc *nats.Conn

	mu      sync.Mutex
	prefix  string // of reply subjects; empty before the first call
	last    uint64 // number of the reply subject given out last
	waiting map[string]chan<- *nats.Msg
}

// expect returns a new reply subject. What arrives there first goes to answers,
// unless that is full, until the subject is forgotten.
func (in *inbox) expect(answers chan<- *nats.Msg) (reply string, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.prefix == "" {
		prefix := in.nc.NewInbox() + "."
		if _, err := in.nc.Subscribe(prefix+"*", in.take); err != nil { // lives as long as the connection
			return "", err
		}
		in.prefix, in.waiting = prefix, make(map[string]chan<- *nats.Msg)
	}
	in.last++
	reply = in.prefix + strconv.FormatUint(in.last, 36)
	in.waiting[reply] = answers
	return reply, nil
}

// take runs on the subscription's goroutine.
func (in *inbox) take(m *nats.Msg) {
	in.mu.Lock()
	answers, ok := in.waiting[m.Subject]
	delete(in.waiting, m.Subject)
	in.mu.Unlock()
	if !ok {
		return // its call has ended
	}
	select {
	case answers <- m:
	default:
	}
}

func (in *inbox) forget(replies []string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, reply := range replies {
		delete(in.waiting, reply)
	}
}

// nobodyListens reports whether NATS itself answers, for want of a subscriber.
func nobodyListens(m *nats.Msg) bool {
	return len(m.Data) == 0 && m.Header.Get("Status") == "503"
}
