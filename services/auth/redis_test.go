package auth_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/services/auth"
)

// TestRedis_over_TLS: codes are kept in a Redis whose certificate a private
// authority signed, once that authority is named.
func TestRedis_over_TLS(t *testing.T) {
	cert, ca := newCert(t, loopback)
	server, err := miniredis.RunTLS(&tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.RequireAuth("p")
	redis := func(w *world) string {
		for _, state := range w.health.States(t.Context()) {
			if state.Name == "redis" {
				return state.String()
			}
		}
		return "no check"
	}

	w := newWorld(t, func(cfg *auth.Config) { cfg.RedisURL, cfg.RedisCAFile = "rediss://:p@"+server.Addr(), ca })
	w.start()
	eventually(t, func() bool { return redis(w) == "ok" })
	w.code("ann@example.org", contract.PurposeRegister)

	w = newWorld(t, func(cfg *auth.Config) { cfg.RedisURL = "rediss://:p@" + server.Addr() })
	w.start()
	eventually(t, func() bool { return strings.Contains(redis(w), "unknown authority") })
}
