package natsconf_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	natsconf "github.com/parley-im/parley/deploy/nats"
	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// member is a service's connection, made as services make it, and its log.
type member struct {
	*nats.Conn
	tel *telemetry.Telemetry
	log *lines
}

// connect connects as a service, or another user, with the cluster's secrets
// of now.
func (c *cluster) connect(t *testing.T, service contract.Service) *member {
	t.Helper()
	m := &member{tel: telemetry.Discard(service), log: &lines{}}
	m.tel.Log = slog.New(slog.NewJSONHandler(m.log, nil))
	nc, err := bus.Connect(t.Context(), c.config(t, service), service, m.tel)
	if err != nil {
		t.Fatal(err)
	}
	m.Conn = nc
	t.Cleanup(nc.Close)
	return m
}

// config is a service's, as Docker Compose and the chart set it.
func (c *cluster) config(t *testing.T, service contract.Service) bus.Config {
	t.Helper()
	cfg := bus.Config{URL: c.url(), NKeySeed: c.set[natsconf.SeedVar(string(service))], CAFile: file(t, c.set["TLS_CA_CERT"])}
	if c.verify {
		cfg.CertFile, cfg.KeyFile = file(t, c.set["TLS_CLIENT_CERT"]), file(t, c.set["TLS_CLIENT_KEY"])
	}
	return cfg
}

// dial connects as people do, with a key and the authority's certificate, and
// tells at once why not.
func (c *cluster) dial(t *testing.T, seed string, opts ...nats.Option) (*nats.Conn, error) {
	t.Helper()
	opts = append([]nats.Option{
		nats.RootCAs(file(t, c.set["TLS_CA_CERT"])), nats.MaxReconnects(0),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // else they are on the terminal
	}, opts...)
	if seed != "" {
		pair, err := nkeys.FromSeed([]byte(seed))
		if err != nil {
			t.Fatal(err)
		}
		public, err := pair.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		opts = append(opts, nats.Nkey(public, pair.Sign))
	}
	nc, err := nats.Connect(c.url(), opts...)
	if err == nil {
		t.Cleanup(nc.Close)
	}
	return nc, err
}

// mustDial is dial as a user who gets in.
func (c *cluster) mustDial(t *testing.T, user string) *nats.Conn {
	t.Helper()
	nc, err := c.dial(t, c.set[natsconf.SeedVar(user)])
	if err != nil {
		t.Fatalf("connect as %s: %v", user, err)
	}
	return nc
}

// file holds a secret of the set.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pem")
	write(t, path, []byte(content))
	return path
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// refusals are the permission errors that a service has logged: "Publish to
// \"SUBJECT\"", "Subscription to \"SUBJECT\" using queue \"QUEUE\"".
func (l *lines) refusals(t *testing.T) map[string]bool {
	t.Helper()
	list := map[string]bool{}
	for line := range strings.Lines(l.String()) {
		var entry struct{ Level, Msg, Err string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if _, what, ok := strings.Cut(entry.Err, "Permissions Violation for "); ok {
			if entry.Level != "ERROR" || entry.Msg != "NATS refuses what its user may not do" {
				t.Errorf("logged as %s: %s", entry.Level, entry.Msg)
			}
			list[what] = true
		}
	}
	return list
}
