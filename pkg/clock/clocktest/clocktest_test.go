package clocktest_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/clock/clocktest"
)

func TestSet(t *testing.T) {
	for _, by := range []time.Duration{0, time.Second, 24 * time.Hour, -24 * time.Hour, -1500 * time.Millisecond} {
		now := time.Now()
		set := clocktest.Set(now, by)
		if got := set.Round(0).Sub(now.Round(0)); got != by.Truncate(time.Second) {
			t.Errorf("set by %s: the time of day moved by %s", by, got)
		}
		if passed := set.Add(time.Minute).Sub(now); passed != time.Minute {
			t.Errorf("set by %s: %s passed in a minute", by, passed)
		}
	}
}
