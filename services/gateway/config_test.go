package gateway

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/run"
)

func defaults(t *testing.T) Config {
	t.Helper()
	var cfg Config
	if err := run.Config("GATEWAY", &cfg); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestConfig_check(t *testing.T) {
	if err := defaults(t).check(); err != nil {
		t.Fatalf("the defaults: %v", err)
	}
	for name, change := range map[string]func(*Config){
		"GATEWAY_BODY_BYTES":      func(c *Config) { c.BodyBytes = 0 },
		"GATEWAY_STOP_TIMEOUT":    func(c *Config) { c.StopTimeout = -1 },
		"GATEWAY_DRAIN_TIME":      func(c *Config) { c.DrainTime = -time.Second },
		"GATEWAY_MAX_CONN_AGE":    func(c *Config) { c.MaxConnAge = -time.Second },
		"GATEWAY_HEARTBEAT":       func(c *Config) { c.Heartbeat = time.Second },
		"GATEWAY_QUEUE_BYTES":     func(c *Config) { c.QueueBytes = 0 },
		"GATEWAY_RESYNC_INTERVAL": func(c *Config) { c.ResyncInterval = 0 },
		"GATEWAY_MAX_USER_CONNS":  func(c *Config) { c.MaxUserConns = 0 },
	} {
		cfg := defaults(t)
		change(&cfg)
		if err := cfg.check(); err == nil || !strings.Contains(err.Error(), name+" must ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg := defaults(t)
	cfg.DrainTime, cfg.StopTimeout, cfg.MaxBadFrames = 0, 0, 0
	if err := cfg.check(); err != nil {
		t.Fatalf("none at all: %v", err)
	}
}

func TestFittingConns(t *testing.T) {
	for _, c := range []struct {
		conns int
		files uint64
		want  int
	}{
		{100_000, 0, 100_000}, {100_000, 1 << 20, 100_000}, {19_000, 20_000, 19_000}, {100_000, 20_000, 19_000}, {100_000, 1024, 512},
	} {
		if got := fittingConns(c.conns, c.files, quiet()); got != c.want {
			t.Errorf("%d with %d files: %d, not %d", c.conns, c.files, got, c.want)
		}
	}
}

// A start without any setting warns of nothing: only a number that was asked
// for, and does not fit, is worth a warning.
func TestFittingConns_warns_of_what_was_asked_for(t *testing.T) {
	for _, c := range []struct {
		conns int
		want  bool
	}{{defaults(t).MaxConns, false}, {50_000, true}, {10_000, false}} {
		var out strings.Builder
		fittingConns(c.conns, 20_000, slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})))
		if got := out.Len() > 0; got != c.want {
			t.Errorf("%d connections, 20,000 files: logged %q", c.conns, out.String())
		}
	}
}
