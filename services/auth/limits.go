package auth

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/fault"
)

type limitOptions struct {
	codesPerMinute, codesPerHour, addressCodesPerHour int
	loginFailures, addressFailures, accountFailures   int
}

const (
	// failureWindow is how long a wrong password or code counts.
	failureWindow = 15 * time.Minute
	// strangerWindow is the same for an account, whoever guesses.
	strangerWindow = time.Hour
	// metFor is how long an address that has logged in is no stranger.
	metFor = 90 * 24 * time.Hour
	// Of one account so many failed logins are reported in failureWindow, and
	// of all together so many a minute.
	reportsOfOne = 20
	reportsOfAll = 600
)

// rule allows a number of acts under one name, within a window that begins
// with the first.
type rule struct {
	name  string
	most  int
	every time.Duration
}

// counters count acts together with all other replicas; Unavailable when they
// can't.
type counters interface {
	Take(ctx context.Context, rules []rule) (wait time.Duration, err error)
	GiveBack(ctx context.Context, rules []rule) error
	// Has reports whether a mark stands; Mark sets it for ttl, from now on.
	Has(ctx context.Context, name string) (bool, error)
	Mark(ctx context.Context, name string, ttl time.Duration) error
}

// limits says how often who may try what. Without its counters nothing is
// allowed.
type limits struct {
	counters counters
	names    []byte // key of the hashes that stand for e-mails and addresses
	o        limitOptions
	refused  *prometheus.CounterVec // by act
}

// The acts that are limited, as metrics name them.
const (
	actCode    = "code"
	actAttempt = "attempt"
)

// rule counts acts under an HMAC of what they are about.
func (l *limits) rule(most int, every time.Duration, kind string, parts ...string) rule {
	return rule{name: kind + ":" + mac(l.names, append([]string{kind}, parts...)...), most: most, every: every}
}

// Code allows a code for an e-mail, asked for from an address.
func (l *limits) Code(ctx context.Context, email, address string) error {
	rules := []rule{
		l.rule(l.o.codesPerMinute, time.Minute, "code-minute", email),
		l.rule(l.o.codesPerHour, time.Hour, "code-hour", email),
	}
	if address != "" {
		rules = append(rules, l.rule(l.o.addressCodesPerHour, time.Hour, "code-address", address))
	}
	return l.take(ctx, actCode, rules)
}

// Attempt counts a password or code that is about to be checked as if it were
// wrong, so that attempts at the same time can't exceed the limit. forgive
// takes that back. Without an account only the address counts.
//
// All strangers together get a number of guesses at an account too. An address
// that is known to the account is not among them: whoever guesses from
// elsewhere, from however many places, does not lock its owner out.
func (l *limits) Attempt(ctx context.Context, account, address string, known bool) (forgive func(), err error) {
	var rules []rule
	if account != "" {
		rules = append(rules, l.rule(l.o.loginFailures, failureWindow, "failures", account, address))
		if !known {
			rules = append(rules, l.rule(l.o.accountFailures, strangerWindow, "failures-account", account))
		}
	}
	if address != "" {
		rules = append(rules, l.rule(l.o.addressFailures, failureWindow, "failures-address", address))
	}
	if len(rules) == 0 {
		return func() {}, nil
	}
	if err := l.take(ctx, actAttempt, rules); err != nil {
		return nil, err
	}
	return func() {
		// Should it fail, one attempt too many has counted.
		_ = l.counters.GiveBack(context.WithoutCancel(ctx), rules)
	}, nil
}

// Knows reports whether a user has proved themselves from the address before.
func (l *limits) Knows(ctx context.Context, userID, address string) (bool, error) {
	return l.counters.Has(ctx, l.met(userID, address))
}

// Meet notes that a user has proved themselves from the address, by password or
// by a mailed code.
func (l *limits) Meet(ctx context.Context, userID, address string) {
	// Should it fail, the address stays a stranger until the next login.
	_ = l.counters.Mark(context.WithoutCancel(ctx), l.met(userID, address), metFor)
}

func (l *limits) met(userID, address string) string {
	return "met:" + mac(l.names, "met", userID, address)
}

// Report allows a failed login to become an event.
func (l *limits) Report(ctx context.Context, userID string) (bool, error) {
	wait, err := l.counters.Take(ctx, []rule{
		l.rule(reportsOfOne, failureWindow, "reports", userID),
		l.rule(reportsOfAll, time.Minute, "reports-all"),
	})
	return wait == 0, err
}

func (l *limits) take(ctx context.Context, act string, rules []rule) error {
	wait, err := l.counters.Take(ctx, rules)
	if err != nil {
		return err
	}
	if wait > 0 {
		l.refused.WithLabelValues(act).Inc()
		return fault.New(fault.ResourceExhausted, "too many attempts; wait a while").After(wait)
	}
	return nil
}
