package metricsdoc_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/auth"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/gateway"
	"github.com/parley-im/parley/services/social"
	"github.com/parley-im/parley/standalone/embedded"
	"github.com/parley-im/parley/standalone/metricsdoc"
)

// running runs all services until the test ends, and lists what they have
// registered once all of them are ready.
func running(t *testing.T) []metricsdoc.Service {
	t.Helper()
	data := t.TempDir()
	secrets, err := embedded.LoadSecrets(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	nats, err := embedded.StartNATS(embedded.NATSConfig{
		Addr: "127.0.0.1:0", Dir: filepath.Join(data, "nats"), Secrets: secrets, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nats.Stop() })
	redis, err := embedded.StartRedis(embedded.RedisConfig{Addr: "127.0.0.1:0", Password: secrets.Redis})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(redis.Stop)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	store := func(s contract.Service) string { return "sqlite:" + filepath.Join(data, string(s)+".db") }
	reach := func(cfg *bus.Config, s contract.Service) {
		*cfg = bus.Config{URL: nats.URL(), User: string(s), Password: secrets.NATS[string(s)]}
	}
	var (
		authCfg    auth.Config
		socialCfg  social.Config
		chatCfg    chat.Config
		gatewayCfg gateway.Config
	)
	for prefix, cfg := range map[string]any{"AUTH": &authCfg, "SOCIAL": &socialCfg, "CHAT": &chatCfg, "GATEWAY": &gatewayCfg} {
		if err := run.Config(prefix, cfg); err != nil {
			t.Fatal(err)
		}
	}
	authCfg.Store, authCfg.RedisURL, authCfg.KeySecret, authCfg.CodeLog = store(contract.Auth), redis.URL(), secrets.KeyEncryption, true
	socialCfg.Store, chatCfg.Store = store(contract.Social), store(contract.Chat)
	gatewayCfg.RedisURL = redis.URL()
	reach(&authCfg.NATS, contract.Auth)
	reach(&socialCfg.NATS, contract.Social)
	reach(&chatCfg.NATS, contract.Chat)
	reach(&gatewayCfg.NATS, contract.Gateway)
	return registered(t, map[contract.Service]func(context.Context, *telemetry.Telemetry) error{
		contract.Auth: func(ctx context.Context, tel *telemetry.Telemetry) error {
			return auth.Run(ctx, authCfg, auth.Deps{Telemetry: tel})
		},
		contract.Social: func(ctx context.Context, tel *telemetry.Telemetry) error {
			return social.Run(ctx, socialCfg, social.Deps{Telemetry: tel})
		},
		contract.Chat: func(ctx context.Context, tel *telemetry.Telemetry) error {
			return chat.Run(ctx, chatCfg, chat.Deps{Telemetry: tel})
		},
		contract.Gateway: func(ctx context.Context, tel *telemetry.Telemetry) error {
			return gateway.Run(ctx, gatewayCfg, gateway.Deps{Telemetry: tel, Listener: listener})
		},
	})
}

// lastCheck is the readiness check that each service adds when everything else
// of it has been made.
var lastCheck = map[contract.Service]string{
	contract.Auth: "rpc", contract.Social: "rpc", contract.Chat: "inserts", contract.Gateway: "redis",
}

func registered(t *testing.T, serve map[contract.Service]func(context.Context, *telemetry.Telemetry) error) []metricsdoc.Service {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, len(serve))
	t.Cleanup(func() {
		cancel()
		for range serve {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	tels := map[contract.Service]*telemetry.Telemetry{}
	for _, service := range contract.Services() {
		tel, err := telemetry.New(ctx, service, run.Version, telemetry.Config{LogLevel: slog.LevelError})
		if err != nil {
			t.Fatal(err)
		}
		tels[service] = tel
		go func() { ended <- serve[service](ctx, tel) }() // ends with ctx, joined above
	}
	var services []metricsdoc.Service
	for _, service := range contract.Services() {
		tel := tels[service]
		await(t, string(service), func() error {
			last := func(s telemetry.CheckState) bool { return s.Name == lastCheck[service] }
			if !slices.ContainsFunc(tel.Health.States(ctx), last) {
				return errors.New("is starting")
			}
			return tel.Health.Ready(ctx)
		})
		metrics, err := tel.Metrics.Catalogue()
		if err != nil {
			t.Fatal(err)
		}
		services = append(services, metricsdoc.Service{Name: service, Metrics: metrics})
	}
	return services
}

func await(t *testing.T, what string, is func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = is(); err == nil {
			return
		}
	}
	t.Fatalf("%s is not ready: %s", what, strings.TrimSpace(err.Error()))
}
