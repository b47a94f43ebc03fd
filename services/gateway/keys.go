package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/token"
)

const (
	// keysPause is the least time between two readings of the keys: tokens
	// with made-up key ids must not become calls to auth.
	keysPause = time.Second
	// keysWait bounds one reading.
	keysWait = 2 * time.Second
)

// keys holds the public keys of access tokens.
type keys struct {
	calls    *rpc.Client
	verifier *token.Verifier
	time     *authTime
	interval time.Duration
	log      *slog.Logger
	flight   singleflight.Group // one reading at a time

	mu   sync.Mutex
	set  contract.JWKS
	read time.Time // the last try; the zero time before the first
	err  error     // its outcome
}

func newKeys(calls *rpc.Client, interval time.Duration, authTime *authTime, log *slog.Logger) *keys {
	return &keys{calls: calls, verifier: token.NewVerifier(authTime.Now), time: authTime, interval: interval, log: log}
}

// verify checks a token's signature and times. If its key is not known, or it
// seems to have expired, the keys and auth's time are read again, at most once a
// keysPause.
func (k *keys) verify(raw string) (token.Claims, error) {
	claims, err := k.verifier.Verify(raw)
	if errors.Is(err, token.ErrUnknownKey) || errors.Is(err, token.ErrExpired) {
		if err := k.refresh(); err != nil {
			return token.Claims{}, fault.New(fault.Unavailable, "tokens can't be checked right now").After(retryHint).Because(err)
		}
		claims, err = k.verifier.Verify(raw)
	}
	if err != nil {
		return token.Claims{}, tokenFault(err)
	}
	return claims, nil
}

// refresh reads the keys unless that was just done; all who ask meanwhile
// share one reading.
func (k *keys) refresh() error {
	_, err, _ := k.flight.Do("", func() (any, error) {
		k.mu.Lock()
		last, err := k.read, k.err
		k.mu.Unlock()
		if time.Since(last) < keysPause {
			return nil, err
		}
		return nil, k.load()
	})
	return err
}

func (k *keys) load() error {
	ctx, cancel := context.WithTimeout(context.Background(), keysWait)
	defer cancel()
	asked := time.Now()
	reply, err := rpc.Call(ctx, k.calls, contract.GetKeys, contract.Empty{})
	if err == nil {
		err = k.verifier.SetKeys(reply.JWKS)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.read, k.err = time.Now(), nil
	if err != nil {
		k.err = fmt.Errorf("read signing keys: %w", err)
		return k.err
	}
	k.set = reply.JWKS
	k.time.Set(reply.Now.Time, reply.Trusted, asked)
	return nil
}

// Run reads the keys until it has them, and again every interval until ctx
// ends.
func (k *keys) Run(ctx context.Context) error {
	for {
		wait := k.interval
		if err := k.refresh(); err != nil {
			k.log.WarnContext(ctx, "read signing keys", slog.Any("error", err))
			wait = keysPause
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// Set is what was last read; false before the first time.
func (k *keys) Set() (contract.JWKS, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.set, len(k.set.Keys) > 0
}

// Ready is the readiness check "keys".
func (k *keys) Ready(context.Context) error {
	if _, ok := k.Set(); !ok {
		return errors.New("the keys of access tokens have not been read")
	}
	return nil
}

// jwks answers GET /.well-known/jwks.json.
func (a *api) jwks(*request) (answer, error) {
	set, ok := a.auth.keys.Set()
	if !ok {
		return answer{}, errNotReady
	}
	// With GATEWAY_KEYS_INTERVAL this is less than how long auth publishes a key
	// before it signs.
	return ok200(set).with("Cache-Control", "public, max-age=60"), nil
}
