package auth

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/fault"
)

type limitOptions struct {
	codesPerMinute, codesPerHour, addressCodesPerHour int
	loginFailures, addressFailures                    int
}

// failureWindow is how long a wrong password or code counts.
const failureWindow = 15 * time.Minute

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
func (l *limits) Attempt(ctx context.Context, account, address string) (forgive func(), err error) {
	var rules []rule
	if account != "" {
		rules = append(rules, l.rule(l.o.loginFailures, failureWindow, "failures", account, address))
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
