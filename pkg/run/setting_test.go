package run_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
)

type settings struct {
	Addr      string        `envconfig:"ADDR" default:"127.0.0.1:8080" form:"address"`
	Heartbeat time.Duration `envconfig:"HEARTBEAT" default:"25s"`
	Burst     int           `envconfig:"BURST" default:"60"`
	Rate      float64       `envconfig:"RATE" default:"0.5"`
	Loopback  bool          `envconfig:"LIMIT_LOOPBACK" default:"false"`
	Store     string        `envconfig:"STORE" form:"begins=sqlite:,mongodb://"`
	Telemetry telemetry.Config
}

// Each mistake is said by the variable that was set, with what it may hold.
func TestConfig_says_how_a_value_is_written(t *testing.T) {
	for setting, want := range map[string]string{
		"GATEWAY_HEARTBEAT=25":         `GATEWAY_HEARTBEAT has no unit: write 25s for seconds`,
		"GATEWAY_HEARTBEAT=1d":         `GATEWAY_HEARTBEAT is not a duration: write numbers with their units h, m, s or ms, such as 1m30s; the default is 25s`,
		"GATEWAY_HEARTBEAT=":           `GATEWAY_HEARTBEAT is set, but empty: unset it for its default, 25s`,
		"LOG_LEVEL=verbose":            `LOG_LEVEL is not a level: write debug, info, warn or error`,
		"GATEWAY_LOG_LEVEL=verbose":    `GATEWAY_LOG_LEVEL is not a level`,
		"GATEWAY_BURST=many":           `GATEWAY_BURST is not a whole number: write digits only; the default is 60`,
		"GATEWAY_BURST=1.5":            `GATEWAY_BURST is not a whole number`,
		"TRACE_SAMPLE_RATIO=1%":        `TRACE_SAMPLE_RATIO is not a number: write one such as 0.01`,
		"GATEWAY_LIMIT_LOOPBACK=maybe": `GATEWAY_LIMIT_LOOPBACK is not a truth value: write true or false`,
		"OPS_ADDR=9090":                `OPS_ADDR: "9090" is not an address: write host:port, such as 127.0.0.1:9090`,
		"GATEWAY_ADDR=localhost":       `GATEWAY_ADDR: "localhost" is not an address: write host:port, such as localhost:8080`,
		"GATEWAY_STORE=data/chat.db":   `GATEWAY_STORE: it must begin with sqlite: or mongodb://`,
	} {
		t.Run(setting, func(t *testing.T) {
			name, value, _ := strings.Cut(setting, "=")
			t.Setenv(name, value)
			err := run.Config("GATEWAY", &settings{})
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestCheckAddress(t *testing.T) {
	for _, text := range []string{"127.0.0.1:8115", ":8115", "[::1]:0", "chat.example.org:443"} {
		if err := run.CheckAddress(text); err != nil {
			t.Error(err)
		}
	}
	for text, like := range map[string]string{
		"8115":                  "127.0.0.1:8115",
		"127.0.0.1":             "127.0.0.1:8080",
		"localhost:":            "localhost:8080",
		"http://localhost:8115": "localhost:8115",
		"http://chat/":          "chat:8080",
		"::1":                   "[::1]:8080",
		"":                      "127.0.0.1:8080",
		"a b":                   "127.0.0.1:8080",
		"127.0.0.1:http":        "127.0.0.1:8080",
		"127.0.0.1:99999":       "127.0.0.1:8080",
	} {
		if err := run.CheckAddress(text); err == nil || !strings.HasSuffix(err.Error(), "such as "+like) {
			t.Errorf("%q: got %v, want an example like %s", text, err, like)
		}
	}
}

func TestCheckNames(t *testing.T) {
	for setting, want := range map[string]string{
		"GATEWAY_HERTBEAT=25s":   "there is no setting GATEWAY_HERTBEAT; did you mean GATEWAY_HEARTBEAT?",
		"GATEWAY_HAERTBEAT=25s":  "did you mean GATEWAY_HEARTBEAT?",
		"GATEWAY_LOGLEVEL=debug": "did you mean GATEWAY_LOG_LEVEL?",
		"GATEWAY_TOKEN=x":        "there is no setting GATEWAY_TOKEN; docs/configuration.md lists all",
		"gateway_heartbeat=25s":  "gateway_heartbeat is not read: its name is GATEWAY_HEARTBEAT",
		"GATEWAY_PORT=8080":      "there is no setting GATEWAY_PORT",
	} {
		t.Run(setting, func(t *testing.T) {
			name, value, _ := strings.Cut(setting, "=")
			t.Setenv(name, value)
			if err := run.CheckNames("GATEWAY", &settings{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			if err := run.CheckNames("CHAT", &settings{}); err != nil {
				t.Errorf("another service's prefix: %v", err)
			}
		})
	}
}

// What Kubernetes sets in every pod for the services gateway and gateway-ops.
func TestCheckNames_passes_over_service_links(t *testing.T) {
	for _, service := range []string{"GATEWAY", "GATEWAY_OPS"} {
		for name, value := range map[string]string{
			"_SERVICE_HOST": "10.0.0.11", "_SERVICE_PORT": "8080", "_SERVICE_PORT_HTTP": "8080", "_PORT": "tcp://10.0.0.11:8080",
			"_PORT_8080_TCP": "tcp://10.0.0.11:8080", "_PORT_8080_TCP_PROTO": "tcp", "_PORT_8080_TCP_PORT": "8080", "_PORT_8080_TCP_ADDR": "10.0.0.11",
		} {
			t.Setenv(service+name, value)
		}
	}
	t.Setenv("GATEWAY_HEARTBEAT", "5s")
	t.Setenv("GATEWAYS_TOTAL", "2")
	if err := run.CheckNames("GATEWAY", &settings{}); err != nil {
		t.Error(err)
	}
}

func TestWarnLookalikes(t *testing.T) {
	t.Setenv("LOG_LEVL", "debug")
	t.Setenv("OPS_PORT", "9090") // another program's
	var out strings.Builder
	run.WarnLookalikes(slog.New(slog.NewTextHandler(&out, nil)), &settings{})
	if got := out.String(); !strings.Contains(got, "set=LOG_LEVL setting=LOG_LEVEL") || strings.Contains(got, "OPS_PORT") {
		t.Errorf("logged %q", got)
	}
}
