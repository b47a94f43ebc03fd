package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"path/filepath"
	"slices"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/standalone/embedded"
)

// errNoRedis refuses parts that could never find their Redis.
var errNoRedis = errors.New("no Redis: set REDIS_URL, or -redis-addr to that of the process that runs it")

// servers are what the services connect to: given ones, or embedded ones of
// this process or of another on the same data directory.
type servers struct {
	secrets  embedded.Secrets
	natsURL  string
	natsOwn  bool // embedded: each service has a user of its own
	redisURL string

	// What runs in this process, for people: "nats nats://127.0.0.1:4222".
	addresses []string
}

// startServers starts what f asks for and the settings do not replace. They
// stop with g, after everything that was started later.
func startServers(ctx context.Context, g *run.Group, f flags, s Settings, log *slog.Logger) (*servers, error) {
	stores := s.storeFiles(f)
	secrets, err := embedded.LoadSecrets(ctx, f.data, slices.Collect(maps.Values(stores))...)
	if err != nil {
		return nil, err
	}
	if err := secrets.CheckStores(f.data, stores); err != nil {
		return nil, err
	}
	all := &servers{secrets: secrets}
	if err := all.startNATS(g, f, s, log); err != nil {
		return nil, err
	}
	return all, all.startRedis(g, f, s)
}

func (a *servers) startNATS(g *run.Group, f flags, s Settings, log *slog.Logger) error {
	if s.NATSURL != "" {
		a.natsURL = s.NATSURL
		return nil
	}
	a.natsURL, a.natsOwn = "nats://"+f.natsAddr, true
	if !f.runs(partNATS) {
		return nil
	}
	srv, err := embedded.StartNATS(embedded.NATSConfig{
		Addr:    f.natsAddr,
		Dir:     filepath.Join(f.data, "nats"),
		Secrets: a.secrets,
		Log:     log,
	})
	if err != nil {
		return err
	}
	a.natsURL = srv.URL()
	a.addresses = append(a.addresses, partNATS+" "+srv.URL())
	g.OnStop(partNATS, func(context.Context) error { return srv.Stop() })
	g.Go("watch of NATS", srv.Mend)
	return nil
}

func (a *servers) startRedis(g *run.Group, f flags, s Settings) error {
	if s.RedisURL != "" {
		a.redisURL = s.RedisURL
		return nil
	}
	if !f.runs(partRedis) {
		if _, port, _ := net.SplitHostPort(f.redisAddr); port == "0" && f.needRedis() {
			return errNoRedis
		}
		a.redisURL = embedded.RedisURL(f.redisAddr, a.secrets.Redis)
		return nil
	}
	srv, err := embedded.StartRedis(embedded.RedisConfig{Addr: f.redisAddr, Password: a.secrets.Redis})
	if err != nil {
		return err
	}
	a.redisURL = srv.URL()
	a.addresses = append(a.addresses, partRedis+" "+srv.Addr())
	g.OnStop(partRedis, func(context.Context) error { srv.Stop(); return nil })
	return nil
}

// needRedis reports whether a part runs that keeps something in Redis.
func (f *flags) needRedis() bool {
	return f.runs(string(contract.Auth)) || f.runs(string(contract.Gateway))
}

// bus is how a service connects to NATS. Away from the embedded server its
// own settings say who it is.
func (a *servers) bus(own bus.Config, service contract.Service) bus.Config {
	if !a.natsOwn {
		return own
	}
	own.URL, own.NKeySeed = a.natsURL, ""
	own.User, own.Password = string(service), a.secrets.NATS[string(service)]
	return own
}
