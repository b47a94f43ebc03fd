package auth

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/fault"
)

// How a login may end. Which of the first two refusals it was, only the
// operator learns.
const (
	loginOK       = "ok"
	loginUnknown  = "unknown_account"
	loginWrong    = "wrong_password"
	loginDisabled = "disabled" // with the right password
	loginLimited  = "limited"  // too many attempts
	loginBusy     = "busy"     // no turn to hash
	loginFailed   = "failed"   // the store, Redis, or a caller who left
)

// metrics tell how often secrets are tried, and what that costs.
type metrics struct {
	logins   *prometheus.CounterVec
	limited  *prometheus.CounterVec
	hashWait prometheus.Histogram
}

// newMetrics shows every outcome from the start: a rate needs a zero.
func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "auth", Name: "logins_total",
			Help: "Logins by how they ended: ok, unknown_account, wrong_password, disabled (with the right password), limited (too many attempts), busy (too many passwords to hash), failed.",
		}, []string{"outcome"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "auth", Name: "limited_total",
			Help: "Acts refused because there were too many: code (asking for one), attempt (proving a password or code).",
		}, []string{"act"}),
		hashWait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "auth", Name: "hash_wait_seconds",
			Help:    "How long a password waited for its turn to be hashed, those included that got none.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 3, 5, 10},
		}),
	}
	for _, outcome := range []string{loginOK, loginUnknown, loginWrong, loginDisabled, loginLimited, loginBusy, loginFailed} {
		m.logins.WithLabelValues(outcome)
	}
	for _, act := range []string{actCode, actAttempt} {
		m.limited.WithLabelValues(act)
	}
	reg.MustRegister(m.logins, m.limited, m.hashWait)
	return m
}

// exhausted is the outcome when there was too much of something, else failed.
func exhausted(err error, outcome string) string {
	if fault.Is(err, fault.ResourceExhausted) {
		return outcome
	}
	return loginFailed
}
