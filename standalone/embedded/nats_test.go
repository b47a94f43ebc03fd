package embedded

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/pkg/contract"
)

func TestNATS_Start(t *testing.T) {
	t.Run("second server on one directory is refused", func(t *testing.T) {
		cfg := natsConfig(t)
		first := startNATS(t, cfg)
		if _, err := StartNATS(cfg); !errors.Is(err, ErrInUse) {
			t.Fatalf("second start: %v, want ErrInUse", err)
		}
		if err := first.Stop(); err != nil {
			t.Fatal(err)
		}
		startNATS(t, cfg)
	})
	t.Run("taken port is named and frees the directory", func(t *testing.T) {
		taken := startNATS(t, natsConfig(t))
		cfg := natsConfig(t)
		free := cfg.Addr
		cfg.Addr = taken.Addr()
		if _, err := StartNATS(cfg); err == nil || !strings.Contains(err.Error(), taken.Addr()) {
			t.Fatalf("start on a taken port: %v", err)
		}
		cfg.Addr = free
		startNATS(t, cfg)
	})
	t.Run("bad address is refused", func(t *testing.T) {
		for _, addr := range []string{"", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000"} {
			cfg := natsConfig(t)
			cfg.Addr = addr
			if _, err := StartNATS(cfg); err == nil {
				t.Errorf("%q: started", addr)
			}
		}
	})
	t.Run("observer needs a password away from loopback", func(t *testing.T) {
		for host, want := range map[string]string{"127.0.0.1": "observer", "[::1]": "observer", "localhost": "observer", "0.0.0.0": "", "": "", "192.0.2.1": ""} {
			cfg := natsConfig(t)
			cfg.Addr = host + ":4222"
			opts, err := natsOptions(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if opts.NoAuthUser != want {
				t.Errorf("%s: user without a password is %q, want %q", host, opts.NoAuthUser, want)
			}
		}
	})
}

func TestNATS_Restart(t *testing.T) {
	cfg := natsConfig(t)
	first := startNATS(t, cfg)
	if !first.server.JetStreamConfig().SyncAlways {
		t.Error("JetStream acknowledges before it has synced")
	}
	js := jetStream(t, connectAs(t, first, cfg.Secrets, string(contract.Auth)))
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: contract.StreamName, Subjects: []string{contract.AllEvents}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), contract.UserRegistered.Subject(), []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}

	second := startNATS(t, cfg)
	js = jetStream(t, connectAs(t, second, cfg.Secrets, contract.OperatorUser))
	stream, err := js.Stream(t.Context(), contract.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := stream.GetMsg(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if msg.Subject != contract.UserRegistered.Subject() {
		t.Errorf("subject is %s", msg.Subject)
	}
}

// natsConfig is a server on a free port and a fresh directory.
func natsConfig(t *testing.T) NATSConfig {
	t.Helper()
	dir := t.TempDir()
	secrets, err := LoadSecrets(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return NATSConfig{
		Addr:    "127.0.0.1:0",
		Dir:     filepath.Join(dir, "nats"),
		Secrets: secrets,
		Log:     slog.New(slog.DiscardHandler),
	}
}

func startNATS(t *testing.T, cfg NATSConfig) *NATS {
	t.Helper()
	n, err := StartNATS(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// connectAs connects as a user of the server; empty is a client that gives no
// user at all.
func connectAs(t *testing.T, n *NATS, secrets Secrets, user string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	own := []nats.Option{nats.MaxReconnects(0)}
	if user != "" {
		own = append(own, nats.UserInfo(user, secrets.NATS[user]))
	}
	for _, s := range callers() {
		if user == string(s) {
			own = append(own, nats.CustomInboxPrefix(s.InboxPrefix()))
		}
	}
	nc, err := nats.Connect(n.URL(), append(own, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func jetStream(t *testing.T, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// within is a context for one step of a test.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
