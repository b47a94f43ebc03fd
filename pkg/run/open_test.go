package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/pkg/schema"
)

func TestOpen(t *testing.T) {
	open := func(t *testing.T, errs ...error) (tries int, log string, err error) {
		var out strings.Builder
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, err = Open(ctx, slog.New(slog.NewTextHandler(&out, nil)), func(context.Context) (string, error) {
				tries++
				return "store", errs[min(tries, len(errs))-1]
			})
		})
		return tries, out.String(), err
	}
	away := fmt.Errorf("open auth store: %w: deadlock detected", schema.ErrNotNow)

	t.Run("heals", func(t *testing.T) {
		tries, log, err := open(t, away, away, away, nil)
		if err != nil || tries != 4 || strings.Count(log, "level=WARN") != 3 || !strings.Contains(log, "deadlock detected") {
			t.Errorf("%d tries, %v:\n%s", tries, err, log)
		}
	})
	t.Run("cannot heal", func(t *testing.T) {
		wrong := errors.New("authentication failed")
		if tries, log, err := open(t, wrong); !errors.Is(err, wrong) || tries != 1 || log != "" {
			t.Errorf("%d tries, %v:\n%s", tries, err, log)
		}
	})
	t.Run("the service is stopped", func(t *testing.T) {
		tries, _, err := open(t, away)
		if !errors.Is(err, context.DeadlineExceeded) || tries < 200 || tries > 500 { // every 7.5 to 15 s
			t.Errorf("%d tries, %v", tries, err)
		}
	})
}
