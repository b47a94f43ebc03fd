package auth

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

const (
	// reportQueue is how many failed logins wait to be reported.
	reportQueue = 1000
	// reportWait bounds the report of one.
	reportWait = 5 * time.Second
)

// How the report of a failed login may end.
const (
	reported      = "reported"
	reportBeyond  = "beyond" // there were enough of them
	reportDropped = "dropped"
)

// failedLogins reports failed logins to known accounts as events, in the
// background: by the time that an answer takes nobody shall learn whether there
// is such an account. What is of one account is too many is not reported;
// metrics count all.
type failedLogins struct {
	queue  chan failedLogin
	store  Store
	limits *limits
	now    func() time.Time
	log    *slog.Logger
	kick   func() // the relay
	ended  *prometheus.CounterVec
}

type failedLogin struct {
	userID, outcome string
	at              time.Time
}

func newFailedLogins(store Store, limits *limits, now func() time.Time, log *slog.Logger, kick func(), reg prometheus.Registerer) *failedLogins {
	f := &failedLogins{
		queue: make(chan failedLogin, reportQueue), store: store, limits: limits, now: now, log: log, kick: kick,
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_auth_login_reports_total",
			Help: "Failed logins to known accounts by what became of their event: reported, beyond (there were enough of them), dropped (the queue was full, or Redis or the store did not answer).",
		}, []string{"outcome"}),
	}
	for _, outcome := range []string{reported, reportBeyond, reportDropped} {
		f.ended.WithLabelValues(outcome) // a rate needs a zero
	}
	reg.MustRegister(f.ended)
	return f
}

// add queues a report, or drops it when too many wait.
func (f *failedLogins) add(ctx context.Context, userID, outcome string) {
	switch outcome {
	case loginWrong, loginLimited, loginDisabled:
	default:
		return // what went wrong was not the caller's
	}
	select {
	case f.queue <- failedLogin{userID: userID, outcome: outcome, at: f.now()}:
	default:
		f.ended.WithLabelValues(reportDropped).Inc()
		f.log.WarnContext(ctx, "failed login not reported: too many wait")
	}
}

// Run reports until ctx ends, and then what still waits, within reportWait.
func (f *failedLogins) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		select {
		case l := <-f.queue:
			f.report(ctx, l)
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportWait)
	defer cancel()
	for last.Err() == nil {
		select {
		case l := <-f.queue:
			f.report(last, l)
		default:
			return nil
		}
	}
	return nil
}

func (f *failedLogins) report(ctx context.Context, l failedLogin) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportWait)
	defer cancel()
	outcome, err := f.record(ctx, l)
	if err != nil {
		f.log.WarnContext(ctx, "report failed login", "err", err)
	}
	f.ended.WithLabelValues(outcome).Inc()
}

func (f *failedLogins) record(ctx context.Context, l failedLogin) (outcome string, err error) {
	allowed, err := f.limits.Report(ctx, l.userID)
	if err != nil {
		return reportDropped, err
	}
	if !allowed {
		return reportBeyond, nil
	}
	event, err := contract.LoginFailed.New(id.New(), l.userID, l.at, contract.SessionEvent{UserID: l.userID, Reason: l.outcome})
	if err != nil {
		return reportDropped, err
	}
	if err := f.store.Post(ctx, []contract.Event{event}); err != nil {
		return reportDropped, err
	}
	f.kick()
	return reported, nil
}
