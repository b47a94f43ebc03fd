package run_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
)

type limits struct {
	Wait time.Duration `envconfig:"WAIT" default:"3s" desc:"how long"`
}

type config struct {
	Store     string `envconfig:"STORE" required:"true" desc:"where"`
	Redis     string `envconfig:"REDIS_URL" shared:"true" default:"redis://127.0.0.1"`
	Count     int    `envconfig:"COUNT" default:"7"`
	Limits    limits
	Telemetry telemetry.Config
}

func TestConfig(t *testing.T) {
	t.Run("defaults, own and shared names", func(t *testing.T) {
		t.Setenv("AUTH_STORE", "sqlite:x")
		t.Setenv("AUTH_WAIT", "5s")
		t.Setenv("REDIS_URL", "redis://all")
		t.Setenv("LOG_LEVEL", "debug")
		t.Setenv("COUNT", "9") // not shared: another program's
		var cfg config
		if err := run.Config("AUTH", &cfg); err != nil {
			t.Fatal(err)
		}
		if cfg.Store != "sqlite:x" || cfg.Limits.Wait != 5*time.Second || cfg.Redis != "redis://all" || cfg.Count != 7 || cfg.Telemetry.LogLevel != slog.LevelDebug {
			t.Fatalf("got %+v", cfg)
		}
		t.Setenv("AUTH_LOG_LEVEL", "error")
		if err := run.Config("AUTH", &cfg); err != nil || cfg.Telemetry.LogLevel != slog.LevelError {
			t.Fatalf("got %+v, %v", cfg, err)
		}
	})
	t.Run("every mistake is named, no value is", func(t *testing.T) {
		t.Setenv("AUTH_COUNT", "hunter2")
		t.Setenv("AUTH_WAIT", "soon")
		var cfg config
		err := run.Config("AUTH", &cfg)
		for _, name := range []string{"AUTH_STORE", "AUTH_COUNT", "AUTH_WAIT"} {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s is not named: %v", name, err)
			}
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a value is shown: %v", err)
		}
	})
}

func TestVariables(t *testing.T) {
	list := run.Variables("AUTH", &config{})
	byName := map[string]run.Variable{}
	for _, v := range list {
		byName[v.Name] = v
	}
	if v := byName["AUTH_WAIT"]; v.Default != "3s" || v.Desc != "how long" || v.Type != "time.Duration" || v.Shared != "" {
		t.Errorf("got %+v", v)
	}
	if v := byName["AUTH_STORE"]; !v.Required {
		t.Errorf("got %+v", v)
	}
	if v := byName["AUTH_LOG_LEVEL"]; v.Shared != "LOG_LEVEL" {
		t.Errorf("got %+v", v)
	}
}
