package gateway

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

func TestAuthentication_await(t *testing.T) {
	waiting := func(t *testing.T, f func(*testing.T, *authentication)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			f(t, &authentication{
				keys:    newKeys(nil, time.Hour, newAuthTime(time.Now), slog.New(slog.DiscardHandler)),
				revoked: newRevocations(time.Now),
			})
		})
	}

	t.Run("until_both_are_known", func(t *testing.T) {
		waiting(t, func(t *testing.T, a *authentication) {
			began := time.Now()
			time.AfterFunc(time.Second, a.revoked.Listed)
			time.AfterFunc(2*time.Second, func() {
				a.keys.mu.Lock()
				defer a.keys.mu.Unlock()
				a.keys.set = contract.JWKS{Keys: make([]contract.JWK, 1)}
			})
			if !a.await(t.Context(), time.Minute) {
				t.Error("they are not known")
			}
			if took := time.Since(began); took < 2*time.Second || took > 3*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	})

	t.Run("not_for_ever", func(t *testing.T) {
		waiting(t, func(t *testing.T, a *authentication) {
			began := time.Now()
			a.revoked.Listed()
			if a.await(t.Context(), time.Minute) {
				t.Error("keys are known from nowhere")
			}
			if took := time.Since(began); took != time.Minute {
				t.Errorf("it took %v", took)
			}
		})
	})
}
