package natsconf_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	natsconf "github.com/parley-im/parley/deploy/nats"
	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Nobody gets in without TLS, with another installation's key or authority, or
// without a key; nor, where clients need certificates, without one.
func TestCluster_connections(t *testing.T) {
	c := startCluster(t)
	other := newSet(t)
	c.connect(t, contract.Chat) // gets in
	t.Run("plaintext", func(t *testing.T) { plaintext(t, c) })
	t.Run("users", func(t *testing.T) {
		for name, opts := range map[string][]nats.Option{
			"nobody":             nil,
			"a user's password":  {nats.UserInfo("chat", "chat")},
			"the route's user":   {nats.UserInfo("route", c.set["NATS_CLUSTER_PASSWORD"])},
			"a token":            {nats.Token(c.set["NATS_CLUSTER_PASSWORD"])},
			"a key, not its own": {nats.Nkey(c.set["NATS_CHAT_NKEY"], func([]byte) ([]byte, error) { return make([]byte, 64), nil })},
		} {
			if _, err := c.dial(t, "", opts...); !errors.Is(err, nats.ErrAuthorization) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := c.dial(t, other["NATS_CHAT_SEED"]); !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("another installation's chat: %v", err)
		}
	})
	t.Run("a service without a key", func(t *testing.T) {
		cfg := c.config(t, contract.Chat)
		cfg.NKeySeed = ""
		refusedService(t, cfg, "authorization violation")
	})
	t.Run("a service that trusts another authority", func(t *testing.T) {
		cfg := c.config(t, contract.Chat)
		cfg.CAFile = file(t, other["TLS_CA_CERT"])
		refusedService(t, cfg, "certificate signed by unknown authority")
	})
	t.Run("routes", func(t *testing.T) { routes(t, c) })

	c.verify = true
	c.reloadAll(t, nil)
	t.Run("client certificates", func(t *testing.T) {
		c.connect(t, contract.Chat) // has one
		for name, opts := range map[string][]nats.Option{
			"none":                nil,
			"another authority's": {nats.ClientCert(file(t, other["TLS_CLIENT_CERT"]), file(t, other["TLS_CLIENT_KEY"]))},
		} {
			// How a client hears of it depends on when it looks: by TLS's alert,
			// or as an end of the connection.
			if nc, err := c.dial(t, c.set["NATS_CHAT_SEED"], opts...); err == nil {
				t.Errorf("%s: connected to %s", name, nc.ConnectedServerName())
			}
		}
		_, err := c.dial(t, "", nats.ClientCert(file(t, c.set["TLS_CLIENT_CERT"]), file(t, c.set["TLS_CLIENT_KEY"])))
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("a certificate without a key: %v", err)
		}
		log := c.log(t)
		for _, want := range []string{"client didn't provide a certificate", "certificate signed by unknown authority"} {
			if !strings.Contains(log, want) {
				t.Errorf("no server logs %q", want)
			}
		}
	})
}

// refusedService connects as chat, in vain, and looks for the reason in error
// and log.
func refusedService(t *testing.T, cfg bus.Config, reason string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log := &lines{}
	tel := telemetry.Discard(contract.Chat)
	tel.Log = slog.New(slog.NewJSONHandler(log, nil))
	ended := make(chan error, 1)
	go func() { // ends with ctx
		nc, err := bus.Connect(ctx, cfg, contract.Chat, tel)
		if err == nil {
			nc.Close()
		}
		ended <- err
	}()
	await(t, "the service to log why", func() bool { return strings.Contains(strings.ToLower(log.String()), reason) })
	cancel()
	if err := <-ended; err == nil || !strings.Contains(strings.ToLower(err.Error()), reason) {
		t.Errorf("got %v", err)
	}
}

// plaintext talks to a server as if there were no TLS.
func plaintext(t *testing.T, c *cluster) {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.nodes[0].client))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	info, err := answers.ReadString('\n')
	if err != nil || !strings.Contains(info, `"tls_required":true`) {
		t.Fatalf("%s, %v", info, err)
	}
	if _, err := io.WriteString(conn, "CONNECT {\"verbose\":true}\r\nPING\r\nPUB im.room.x.message 2\r\n{}\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// Not even a refusal in NATS's words: that would be an answer to CONNECT.
	rest, err := io.ReadAll(answers)
	if errors.Is(err, os.ErrDeadlineExceeded) || regexp.MustCompile(`PONG|\+OK|-ERR`).Match(rest) {
		t.Errorf("the server answers: %q, %v", rest, err)
	}
}

// routes tries to become a server of the cluster.
func routes(t *testing.T, c *cluster) {
	authority := x509.NewCertPool()
	authority.AppendCertsFromPEM([]byte(c.set["TLS_CA_CERT"]))
	addr := fmt.Sprintf("127.0.0.1:%d", c.nodes[0].route)
	client, err := tls.X509KeyPair([]byte(c.set["TLS_CLIENT_CERT"]), []byte(c.set["TLS_CLIENT_KEY"]))
	if err != nil {
		t.Fatal(err)
	}
	for refusal, certs := range map[string][]tls.Certificate{"tls: certificate required": nil, "Authorization Violation": {client}} {
		answer := joinRoute(t, addr, &tls.Config{RootCAs: authority, Certificates: certs, MinVersion: tls.VersionTLS13})
		if !strings.Contains(answer, refusal) {
			t.Errorf("got %q, want %s", answer, refusal)
		}
	}
}

// joinRoute is what a server answers to who has no password.
func joinRoute(t *testing.T, addr string, config *tls.Config) string {
	t.Helper()
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := raw.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	config.ServerName = "127.0.0.1"
	conn := tls.Client(raw, config)
	_, err = io.WriteString(conn, `CONNECT {"name":"x","cluster":"parley","tls_required":true}`+"\r\nPING\r\n")
	answer, readErr := io.ReadAll(conn)
	if errors.Is(readErr, os.ErrDeadlineExceeded) {
		t.Errorf("still connected: %q", answer)
	}
	return fmt.Sprint(string(answer), err, readErr)
}

// A server with accounts of its own takes Parley's in among them.
func TestAccountOnly(t *testing.T) {
	c := &cluster{set: newSet(t)}
	n := &node{name: "own", dir: t.TempDir(), client: freePort(t)}
	c.nodes = []*node{n}
	c.environment(t, n)
	write(t, filepath.Join(n.dir, "parley-account.conf"), natsconf.AccountOnly())
	write(t, filepath.Join(n.dir, "own.conf"), []byte(`
		accounts {
			include ./parley-account.conf
			OWN { users: [{ user: own, password: own }] }
			SYS { users: [{ user: sys, password: sys }] }
		}
		system_account: SYS
		jetstream {}
	`))
	options, err := server.ProcessConfigFile(filepath.Join(n.dir, "own.conf"))
	if err != nil {
		t.Fatal(err)
	}
	options.Host, options.Port, options.StoreDir, options.NoSigs, options.NoLog = "127.0.0.1", n.client, n.dir, true, true
	if n.srv, err = server.NewServer(options); err != nil {
		t.Fatal(err)
	}
	n.srv.Start()
	t.Cleanup(n.stop)
	if !n.srv.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	cfg := bus.Config{URL: n.srv.ClientURL(), NKeySeed: c.set["NATS_CHAT_SEED"]}
	nc, err := bus.Connect(t.Context(), cfg, contract.Chat, telemetry.Discard(contract.Chat))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if err := bus.EnsureStream(t.Context(), nc, bus.StreamConfig{}); err != nil {
		t.Error(err)
	}
	var names []string
	for _, name := range []string{"AUTH", "PARLEY_AUTH"} { // maps of permissions are no accounts
		if _, err := n.srv.LookupAccount(name); err == nil {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		t.Errorf("there are accounts %v", names)
	}
}

// Every variable must be set: one that is forgotten would be a user that
// nobody misses, until keys rotate.
func TestConfiguration_needs_all(t *testing.T) {
	c := &cluster{set: newSet(t)}
	n := &node{name: "nats-0", dir: t.TempDir()}
	c.nodes = []*node{n}
	options := c.options(t, n)
	if options.NoAuthUser != "" || options.AllowNonTLS || options.TLSConfig == nil || options.Cluster.TLSConfig == nil ||
		options.Cluster.TLSConfig.ClientAuth != tls.RequireAndVerifyClientCert || options.Cluster.Name != "parley" ||
		!options.SyncAlways || options.MaxPayload != 1<<20 || options.SystemAccount != natsconf.SystemAccount {
		t.Errorf("got %+v", options)
	}
	for _, name := range []string{"NATS_SERVER_NAME", "NATS_ROUTES", "NATS_TLS_VERIFY", "NATS_CLUSTER_PASSWORD", "NATS_AUTH_NKEY", "NATS_SYSTEM_NKEY_OLD"} {
		c.environment(t, n)
		if err := os.Unsetenv(name); err != nil { // the next environment sets it again, and so does the test's end
			t.Fatal(err)
		}
		if _, err := server.ProcessConfigFile(filepath.Join(n.dir, "nats.conf")); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	// Two users of one key: the server says so.
	set := maps.Clone(c.set)
	c.set["NATS_CHAT_NKEY_OLD"] = set["NATS_CHAT_NKEY"]
	c.environment(t, n)
	if _, err := server.ProcessConfigFile(filepath.Join(n.dir, "nats.conf")); err == nil {
		t.Error("a key twice")
	}
}
