package rpc

import (
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
)

// newInbox makes an inbox in two halves. Between them belongs the name of the
// service whose answers arrive there: only there may it answer us.
func newInbox(nc *nats.Conn) (before, after string) {
	inbox := nc.NewInbox()
	i := strings.LastIndexByte(inbox, '.')
	return inbox[:i+1], inbox[i:]
}

// inbox is where the answers to all calls of a client arrive, on one
// subscription. nats.go has the like behind Request, which waits for the
// answer to one try, and for nothing else: not for the connection to break,
// nor for an earlier try's answer that is only late.
type inbox struct {
	nc *nats.Conn

	mu      sync.Mutex
	before  string // of reply subjects, up to the service; empty before the first call
	after   string // of reply subjects, from the service to their number
	last    uint64 // number of the reply subject given out last
	waiting map[string]chan<- *nats.Msg
}

// expect returns a new reply subject for an answer of the service. What arrives
// there first goes to answers, unless that is full, until the subject is
// forgotten.
func (in *inbox) expect(service contract.Service, answers chan<- *nats.Msg) (reply string, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.before == "" {
		before, after := newInbox(in.nc)
		if _, err := in.nc.Subscribe(before+"*"+after+".*", in.take); err != nil { // lives as long as the connection
			return "", err
		}
		in.before, in.after, in.waiting = before, after+".", make(map[string]chan<- *nats.Msg)
	}
	in.last++
	reply = in.before + string(service) + in.after + strconv.FormatUint(in.last, 36)
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
