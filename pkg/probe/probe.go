// Package probe asks a store now and then whether it takes writes: a store
// that only reads looks healthy until the first user wants to change something.
package probe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

// Every is how long a write that succeeded counts. A disk fills up or becomes
// read-only within that time at most before readiness says so.
const Every = 10 * time.Second

// Writes remembers the outcome of the last write that was tried. The zero
// value has tried none. Its methods may be called at the same time.
type Writes struct {
	mu     sync.Mutex
	trying bool
	at     time.Time // of the last success
	err    error     // of the last attempt
}

// Check runs write when the last success is older than Every, or there was
// none, and returns its error. While another goroutine tries, and when write
// says nothing about the store (it is busy, or ctx ended), the outcome before
// counts. After a failure each call tries again.
func (w *Writes) Check(ctx context.Context, write func(context.Context) error) error {
	if known, err := w.begin(); known {
		return err
	}
	return w.end(ctx, write(ctx))
}

// begin reports whether the outcome is known without a new attempt.
func (w *Writes) begin() (known bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trying || w.err == nil && !w.at.IsZero() && time.Since(w.at) < Every {
		return true, w.err
	}
	w.trying = true
	return false, nil
}

func (w *Writes) end(ctx context.Context, err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trying = false
	switch {
	case err == nil:
		w.at, w.err = time.Now(), nil
	case ctx.Err() == nil && !errors.Is(err, ErrBusy):
		w.err = err
	}
	return w.err
}

// Forget has the next Check try again.
func (w *Writes) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = time.Time{}
}

// ErrBusy is wrapped by the error of a write that came to no outcome because
// others write.
var ErrBusy = errors.New("others write")

// retryAfter is the hint that clients get: a disk rarely heals sooner.
const retryAfter = 5 * time.Second

// NotWritable is a fault.Unavailable with a hint when to try again: the store
// answers, but refuses changes until its operator does something. The cause is
// for the log.
func NotWritable(cause error) error {
	return fault.New(fault.Unavailable, "nothing can be stored right now").After(retryAfter).Because(cause)
}

// ErrDamaged is wrapped by the errors of Damaged.
var ErrDamaged = errors.New("the store is damaged")

// Damaged is a fault.Unavailable with a hint when to try again: what lies in the
// file cannot be read until its operator restores it. It wraps ErrDamaged: other
// parts of the file may well be read. The cause, and the file's name, are for the
// log.
func Damaged(file string, cause error) error {
	return fault.New(fault.Unavailable, "what is stored can't be read right now").After(retryAfter).
		Because(fmt.Errorf("%w: restore %s from a backup: %w", ErrDamaged, file, cause))
}
