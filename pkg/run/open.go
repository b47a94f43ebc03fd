package run

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/parley-im/parley/pkg/schema"
)

// Between two tries to open a store a service pauses, at first openPause, then
// twice as long up to lastOpenPause, less a random part of up to half.
const (
	openPause     = 500 * time.Millisecond
	lastOpenPause = 15 * time.Second
)

// Open opens a store, and tries again for as long as the error wraps
// [schema.ErrNotNow] and ctx lasts. Each such error is logged as a warning.
// Any other error it returns at once.
func Open[S any](ctx context.Context, log *slog.Logger, open func(context.Context) (S, error)) (S, error) {
	pause := openPause
	for {
		store, err := open(ctx)
		if err == nil || !errors.Is(err, schema.ErrNotNow) {
			return store, err
		}
		wait := pause - rand.N(pause/2)
		log.WarnContext(ctx, "the store cannot be opened now: trying again", "error", err, "in", wait.Round(time.Millisecond).String())
		select {
		case <-ctx.Done():
			return store, errors.Join(ctx.Err(), err)
		case <-time.After(wait):
		}
		pause = min(2*pause, lastOpenPause)
	}
}
