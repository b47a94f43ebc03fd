package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
)

const (
	// natsStartTime bounds the wait for a server whose start met no error.
	natsStartTime = 10 * time.Second
	// natsMaxPayload is NATS's own default, written down because pages of
	// history are cut to stay below it.
	natsMaxPayload = 1 << 20
	// natsName is what a server alone is called.
	natsName = "parley"
)

// NATSConfig says how to run a NATS server.
type NATSConfig struct {
	Addr    string // host:port; port 0 takes a free one
	Dir     string // of JetStream's files; made when missing, locked while the server runs
	Secrets Secrets
	Log     *slog.Logger
	Cluster *NATSCluster // nil: a server of its own
}

// NATS is a running NATS server with JetStream and one user per service.
type NATS struct {
	opts server.Options // with the port that was taken
	addr string
	log  *slog.Logger
	dir  string
	lock *flock.Flock

	mu     sync.Mutex
	server *server.Server // Mend replaces it
}

// StartNATS returns once the server accepts connections. It fails with
// ErrInUse while another server, in whichever process, has the directory.
func StartNATS(cfg NATSConfig) (_ *NATS, err error) {
	opts, err := natsOptions(cfg)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	first := *opts // the server changes what it is given
	srv, err := runNATS(&first, cfg.Log)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", errors.Join(err, lock.Close()))
	}
	n := &NATS{opts: *opts, addr: srv.Addr().String(), log: cfg.Log, dir: cfg.Dir, lock: lock, server: srv}
	if addr, ok := srv.Addr().(*net.TCPAddr); ok {
		n.opts.Port = addr.Port
	}
	return n, nil
}

// runNATS starts the server, and leaves none behind when that fails.
func runNATS(opts *server.Options, log *slog.Logger) (*server.Server, error) {
	srv, err := server.NewServer(opts)
	if err != nil {
		return nil, err
	}
	logger := &natsLog{log: log}
	srv.SetLoggerV2(logger, logger.debugs(), false, false)
	srv.Start()
	err = logger.fatal()
	if err == nil && !srv.ReadyForConnections(natsStartTime) {
		err = fmt.Errorf("not ready after %v", natsStartTime)
	}
	if err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, err
	}
	return srv, nil
}

func natsOptions(cfg NATSConfig) (*server.Options, error) {
	host, port, err := splitAddr(cfg.Addr)
	if err != nil {
		return nil, err
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	store, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, err
	}
	opts := &server.Options{
		ServerName: natsName,
		Host:       host,
		Port:       port,
		MaxPayload: natsMaxPayload,
		Users:      natsUsers(cfg.Secrets.NATS),
		JetStream:  true,
		StoreDir:   store,
		// An event acknowledged is an event on disk (sync_interval: always).
		SyncAlways:             true,
		NoSigs:                 true,
		DisableJetStreamBanner: true,
	}
	if isLoopback(host) {
		opts.NoAuthUser = observerName
	}
	if cfg.Cluster != nil {
		if err := cfg.Cluster.apply(opts, cfg.Secrets.Cluster); err != nil {
			return nil, err
		}
	}
	return opts, nil
}

// URL is where clients connect, without a user.
func (n *NATS) URL() string { return "nats://" + n.Addr() }

// Addr is the address that the server listens on.
func (n *NATS) Addr() string { return n.addr }

func (n *NATS) current() *server.Server {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server
}

// Stop ends all connections, waits until JetStream's files are closed, and
// gives the directory free. Mend must have returned before.
func (n *NATS) Stop() error {
	srv := n.current()
	srv.Shutdown()
	srv.WaitForShutdown()
	if err := n.lock.Close(); err != nil {
		return fmt.Errorf("stop NATS: %w", err)
	}
	return nil
}

// splitAddr reads host:port.
func splitAddr(addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("address %s: bad port", addr)
	}
	return host, port, nil
}

// isLoopback reports whether only this machine reaches the host.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
