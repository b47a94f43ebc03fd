package auth

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/telemetry"
)

const (
	// mailSenders is how many mails are sent at the same time.
	mailSenders = 4
	// deliverWait bounds one attempt to send a mail.
	deliverWait = 20 * time.Second
	// lastRound is how long a stopping queue goes on with what waits.
	lastRound = 5 * time.Second
)

// mailPauses are those before each new attempt. The later ones outlast a server
// that refuses strangers at first (greylisting); a code outlives them all.
var mailPauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 4 * time.Minute}

// letterKnown tells whoever registers an e-mail again that they have an
// account. The other kinds of letters are the purposes of codes.
const letterKnown = "known"

// Letter is one mail before it is written.
type Letter struct {
	To   string
	Kind string // a contract.Purpose, or letterKnown
	Code string
	// Language is one of languages.
	Language string
	// Request is the id of the request that asked for it, for the log.
	Request string
}

// errFinal is wrapped by errors of mails that no new attempt would send.
var errFinal = errors.New("refused for good")

// mailQueue sends mails in the background, so that nobody can tell by time
// whether one was sent. A mail that waits for its next attempt keeps no sender
// from the others.
type mailQueue struct {
	deliver func(context.Context, Letter) error
	size    int // of fresh and of retries, each
	log     *slog.Logger
	sent    *prometheus.CounterVec

	mu      sync.Mutex
	fresh   []queuedLetter // in the order that they came in
	retries []queuedLetter // by when they are due
	closed  bool           // nothing is queued any more
	wake    chan struct{}  // capacity 1: there may be something to send
}

type queuedLetter struct {
	Letter
	tried int       // so many times
	due   time.Time // of a retry
}

func newMailQueue(size int, deliver func(context.Context, Letter) error, tel *telemetry.Telemetry) *mailQueue {
	q := &mailQueue{
		deliver: deliver, size: max(1, size), log: tel.Log, wake: make(chan struct{}, 1),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_auth_mails_total", Help: "Mails by how they ended: sent, failed or dropped.",
		}, []string{"outcome"}),
	}
	for _, outcome := range []string{"sent", "failed", "dropped"} {
		q.sent.WithLabelValues(outcome) // a rate needs a zero
	}
	tel.Metrics.MustRegister(q.sent)
	return q
}

// room is Unavailable while the queue is full: asked of everyone, whether or
// not there will be a mail for them. Retries take no room.
func (q *mailQueue) room() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.fresh) >= q.size {
		return fault.New(fault.Unavailable, "too many mails wait to be sent").After(10 * time.Second)
	}
	return nil
}

// add queues a mail, or drops it when the last room was taken meanwhile: who
// misses it asks again.
func (q *mailQueue) add(ctx context.Context, l Letter) {
	q.mu.Lock()
	queued := len(q.fresh) < q.size && !q.closed
	if queued {
		q.fresh = append(q.fresh, queuedLetter{Letter: l})
	}
	q.mu.Unlock()
	if !queued {
		q.sent.WithLabelValues("dropped").Inc()
		q.log.WarnContext(ctx, "mail dropped: the queue is full", "kind", l.Kind)
		return
	}
	q.signal()
}

// retry queues a mail for its next attempt; false when it has none left, or
// there is no room.
func (q *mailQueue) retry(l queuedLetter) bool {
	if l.tried > len(mailPauses) {
		return false
	}
	l.due = time.Now().Add(mailPauses[l.tried-1])
	q.mu.Lock()
	queued := len(q.retries) < q.size && !q.closed
	if queued {
		i, _ := slices.BinarySearchFunc(q.retries, l.due, func(a queuedLetter, due time.Time) int { return cmp.Or(a.due.Compare(due), -1) })
		q.retries = slices.Insert(q.retries, i, l)
	}
	q.mu.Unlock()
	q.signal()
	return queued
}

func (q *mailQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// next takes the mail that is to be sent now, a retry that is due first;
// otherwise it returns how long until there may be one, unless wake is earlier.
func (q *mailQueue) next(now time.Time) (l queuedLetter, wait time.Duration, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case len(q.retries) > 0 && !q.retries[0].due.After(now):
		l = q.retries[0]
		q.retries = slices.Delete(q.retries, 0, 1)
		return l, 0, true
	case len(q.fresh) > 0:
		l = q.fresh[0]
		q.fresh = slices.Delete(q.fresh, 0, 1)
		return l, 0, true
	case len(q.retries) > 0:
		return queuedLetter{}, q.retries[0].due.Sub(now), false
	}
	return queuedLetter{}, time.Hour, false
}

// close takes all that waits; nothing is queued afterwards.
func (q *mailQueue) close() []queuedLetter {
	q.mu.Lock()
	defer q.mu.Unlock()
	rest := slices.Concat(q.fresh, q.retries)
	q.fresh, q.retries, q.closed = nil, nil, true
	return rest
}

// Run sends until ctx ends, and then for a few seconds what still waits, each
// once more.
func (q *mailQueue) Run(ctx context.Context) error {
	// Mails in hand outlive ctx by lastRound.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastRound, cancel) })()

	letters := make(chan queuedLetter)
	var senders sync.WaitGroup
	for range mailSenders {
		senders.Go(func() { // ends with letters, which is closed below
			for l := range letters {
				q.send(work, l)
			}
		})
	}
	q.hand(ctx, letters)
	for _, l := range q.close() {
		select {
		case letters <- l:
		case <-work.Done():
			q.failed(ctx, l.Letter, work.Err())
		}
	}
	close(letters)
	done := make(chan struct{})
	go func() { senders.Wait(); close(done) }() // ends with the senders
	select {
	case <-done:
	case <-work.Done():
		// A sender that still waits for a mail server gives up at the deadline
		// of its connection, and finds that work has ended.
	}
	return nil
}

// hand gives the senders what is to be sent, until ctx ends.
func (q *mailQueue) hand(ctx context.Context, letters chan<- queuedLetter) {
	for ctx.Err() == nil {
		l, wait, ok := q.next(time.Now())
		if ok {
			letters <- l // the next free sender takes it, within deliverWait
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-q.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// send makes one attempt, and leaves the next to the queue.
func (q *mailQueue) send(work context.Context, l queuedLetter) {
	err := q.try(work, l.Letter)
	if err == nil {
		return
	}
	l.tried++
	if !errors.Is(err, errFinal) && q.retry(l) {
		q.log.WarnContext(telemetry.WithRequest(work, l.Request), "mail not sent yet", "kind", l.Kind, "err", err)
		return
	}
	q.failed(work, l.Letter, err)
}

func (q *mailQueue) failed(ctx context.Context, l Letter, err error) {
	q.sent.WithLabelValues("failed").Inc()
	q.log.ErrorContext(telemetry.WithRequest(ctx, l.Request), "mail not sent", "kind", l.Kind, "err", err)
}

func (q *mailQueue) try(ctx context.Context, l Letter) error {
	ctx, cancel := context.WithTimeout(telemetry.WithRequest(ctx, l.Request), deliverWait)
	defer cancel()
	err := q.deliver(ctx, l)
	if err == nil {
		q.sent.WithLabelValues("sent").Inc()
	}
	return err
}

// logCodes stands in for mail during development.
func logCodes(log *slog.Logger) func(context.Context, Letter) error {
	return func(ctx context.Context, l Letter) error {
		switch contract.Purpose(l.Kind) {
		case contract.PurposeRegister, contract.PurposeResetPassword:
			log.InfoContext(ctx, "verification code", "code", l.Code, "purpose", l.Kind, "email", l.To)
		}
		return nil
	}
}
