package auth

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/telemetry"
)

const (
	// postmen is how many mails are sent at the same time.
	postmen = 4
	// deliverWait bounds one attempt to send a mail.
	deliverWait = 20 * time.Second
	// lastRound is how long a stopping post goes on with what waits.
	lastRound = 5 * time.Second
)

// pauses are those before each new attempt; a code outlives them all.
var pauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second}

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

// post sends mails in the background, so that nobody can tell by time
// whether one was sent.
type post struct {
	queue   chan Letter
	deliver func(context.Context, Letter) error
	log     *slog.Logger
	sent    *prometheus.CounterVec
}

func newPost(size int, deliver func(context.Context, Letter) error, tel *telemetry.Telemetry) *post {
	p := &post{
		queue: make(chan Letter, max(1, size)), deliver: deliver, log: tel.Log,
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_auth_mails_total", Help: "Mails by how they ended: sent, failed or dropped.",
		}, []string{"outcome"}),
	}
	for _, outcome := range []string{"sent", "failed", "dropped"} {
		p.sent.WithLabelValues(outcome) // a rate needs a zero
	}
	tel.Metrics.MustRegister(p.sent)
	return p
}

// room is Unavailable while the queue is full: asked of everyone, whether or
// not there will be a mail for them.
func (p *post) room() error {
	if len(p.queue) == cap(p.queue) {
		return fault.New(fault.Unavailable, "too many mails wait to be sent").After(10 * time.Second)
	}
	return nil
}

// add queues a mail, or drops it when the last room was taken meanwhile: who
// misses it asks again.
func (p *post) add(ctx context.Context, l Letter) {
	select {
	case p.queue <- l:
	default:
		p.sent.WithLabelValues("dropped").Inc()
		p.log.WarnContext(ctx, "mail dropped: the queue is full", "kind", l.Kind)
	}
}

// Run sends until ctx ends, and then for a few seconds what still waits.
func (p *post) Run(ctx context.Context) error {
	// Mails in hand outlive ctx by lastRound.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastRound, cancel) })()

	var walks sync.WaitGroup
	for range postmen {
		// Ends with ctx and work. The queue bounds what waits.
		walks.Go(func() { p.walk(ctx, work) })
	}
	done := make(chan struct{})
	go func() { walks.Wait(); close(done) }() // ends with the walks
	select {
	case <-done:
	case <-work.Done():
		// Who still waits for a mail server gives up at the deadline of
		// its connection, and finds that work has ended.
	}
	return nil
}

func (p *post) walk(ctx, work context.Context) {
	for ctx.Err() == nil {
		select {
		case l := <-p.queue:
			p.send(ctx, work, l)
		case <-ctx.Done():
		}
	}
	for work.Err() == nil {
		select {
		case l := <-p.queue:
			p.try(work, l, true)
		default:
			return
		}
	}
}

// send tries a few times; when ctx ends, once more.
func (p *post) send(ctx, work context.Context, l Letter) {
	for _, pause := range pauses {
		if p.try(work, l, false) {
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			p.try(work, l, true)
			return
		}
	}
	p.try(work, l, true)
}

// try sends once and reports whether it did.
func (p *post) try(ctx context.Context, l Letter, last bool) bool {
	ctx = telemetry.WithRequest(ctx, l.Request)
	ctx, cancel := context.WithTimeout(ctx, deliverWait)
	defer cancel()
	err := p.deliver(ctx, l)
	switch {
	case err == nil:
		p.sent.WithLabelValues("sent").Inc()
	case last:
		p.sent.WithLabelValues("failed").Inc()
		p.log.ErrorContext(ctx, "mail not sent", "kind", l.Kind, "err", err)
	default:
		p.log.WarnContext(ctx, "mail not sent yet", "kind", l.Kind, "err", err)
	}
	return err == nil
}

// logCodes stands in for mail during development.
func logCodes(log *slog.Logger) func(context.Context, Letter) error {
	return func(ctx context.Context, l Letter) error {
		switch contract.Purpose(l.Kind) {
		case contract.PurposeRegister, contract.PurposeResetPassword:
			log.InfoContext(ctx, "verification code", "code", l.Code, "purpose", l.Kind)
		}
		return nil
	}
}
