package revision_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/revision"
)

func TestRetry(t *testing.T) {
	t.Run("until nobody was faster", func(t *testing.T) {
		tries := 0
		err := revision.Retry(t.Context(), func() error {
			if tries++; tries < 4 {
				return fmt.Errorf("save: %w", revision.ErrConflict)
			}
			return nil
		})
		if err != nil || tries != 4 {
			t.Fatalf("%d tries, %v", tries, err)
		}
	})
	t.Run("not after another error", func(t *testing.T) {
		broken, tries := errors.New("broken"), 0
		err := revision.Retry(t.Context(), func() error { tries++; return broken })
		if !errors.Is(err, broken) || tries != 1 {
			t.Fatalf("%d tries, %v", tries, err)
		}
	})
	t.Run("not for ever", func(t *testing.T) {
		always := func() error { return revision.ErrConflict }
		if err := revision.Retry(t.Context(), always); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := revision.Retry(ctx, always); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	})
}
