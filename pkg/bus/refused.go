package bus

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
)

// Message tracing: a message with both headers goes the way of any other, past
// the permissions too, but reaches no subscriber and no stream. What became of
// it is told at the first one's subject.
// https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-41.md
const (
	headerTraceDest = "Nats-Trace-Dest"
	headerTraceOnly = "Nats-Trace-Only"
)

// Since which version servers know the headers: an older one would deliver.
const traceMajor, traceMinor = 2, 11

// trialWait bounds a trial.
const trialWait = 5 * time.Second

// nobody stands for the wildcards of a permission in what is tried.
const nobody = "nobody"

// refusal is how a server words one.
var refusal = regexp.MustCompile(`(Publish|Subscription) to "(\S+)"`)

// Refused tries, on a connection of its own, all that p allows, and lists what
// NATS refuses of it nevertheless: "publish im.room.*.message", "subscribe
// im.svc.chat.send". Nobody notices: what it publishes is not delivered, and
// what it subscribes to is given up at once.
//
// Should the first of them be where nobody listens, as [contract.Permissions]
// has it ("_INBOX.>"), then some others are seen only once that is allowed.
func Refused(ctx context.Context, cfg Config, service contract.Service, p contract.Permission) ([]string, error) {
	t := &trial{tried: map[string]string{}, closed: make(chan struct{})}
	own, err := cfg.options(service)
	if err != nil {
		return nil, fmt.Errorf("try permissions: %w", err)
	}
	nc, err := nats.Connect(cfg.URL, append(own, nats.RetryOnFailedConnect(false), nats.NoReconnect(), nats.ErrorHandler(t.refuse),
		nats.ClosedHandler(func(*nats.Conn) { close(t.closed) }))...)
	if err != nil {
		return nil, fmt.Errorf("try permissions at %s: %w", cfg.redacted(), withoutURL(err))
	}
	ctx, cancel := context.WithTimeout(ctx, trialWait)
	defer cancel()
	err = t.all(ctx, nc, p)
	nc.Close()
	<-t.closed // it comes behind all refusals
	if err != nil {
		return nil, fmt.Errorf("try permissions: %w", err)
	}
	slices.Sort(t.refused)
	return slices.Compact(t.refused), nil
}

// trial is what was tried, and what was refused of it.
type trial struct {
	closed chan struct{}

	mu      sync.Mutex
	tried   map[string]string // what is listed, by the server's words
	refused []string
}

func (t *trial) all(ctx context.Context, nc *nats.Conn, p contract.Permission) error {
	if !traces(nc.ConnectedServerVersion()) {
		return fmt.Errorf("a NATS server of version %s can't be tried without effect, one of %d.%d or later can", nc.ConnectedServerVersion(), traceMajor, traceMinor)
	}
	dest, err := unheard(p)
	if err != nil {
		return err
	}
	t.note(words("Publish", dest), "publish "+dest)
	for _, pattern := range p.PublishAllow {
		m := nats.NewMsg(concrete(pattern))
		m.Header[headerTraceDest], m.Header[headerTraceOnly] = []string{dest}, []string{"true"}
		t.note(words("Publish", m.Subject), "publish "+pattern)
		if err := nc.PublishMsg(m); err != nil {
			return err
		}
	}
	for _, pattern := range p.SubscribeAllow {
		t.note(words("Subscription", pattern), "subscribe "+pattern)
		sub, err := nc.SubscribeSync(pattern)
		if err == nil {
			err = sub.Unsubscribe()
		}
		if err != nil && !errors.Is(err, nats.ErrPermissionViolation) {
			return err
		}
	}
	return nc.FlushWithContext(ctx)
}

// note comes before what it is about is sent.
func (t *trial) note(words, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tried[words] = what
}

// refuse runs on the connection's callback goroutine.
func (t *trial) refuse(_ *nats.Conn, _ *nats.Subscription, err error) {
	m := refusal.FindStringSubmatch(err.Error())
	if m == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if what, ok := t.tried[words(m[1], m[2])]; ok {
		t.refused = append(t.refused, what)
	}
}

func words(act, subject string) string { return act + " " + subject }

// unheard is a subject that p allows, at which nobody listens: an inbox, or a
// replica that is none.
func unheard(p contract.Permission) (string, error) {
	for _, pattern := range p.PublishAllow {
		if strings.HasPrefix(pattern, "_INBOX.") || strings.HasPrefix(pattern, "im.svc.") && strings.HasSuffix(pattern, ".*") {
			return concrete(pattern), nil
		}
	}
	return "", errors.New("it has no subject at which nobody listens")
}

// concrete is a subject of the pattern.
func concrete(pattern string) string {
	tokens := strings.Split(pattern, ".")
	for i, token := range tokens {
		if token == "*" || token == ">" {
			tokens[i] = nobody
		}
	}
	return strings.Join(tokens, ".")
}

// traces reports whether a server of the version knows message tracing.
func traces(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > traceMajor || major == traceMajor && minor >= traceMinor
}
