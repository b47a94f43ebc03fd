package bus_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// nkey is a new pair: a user's, an account's, as make says.
func nkey(t *testing.T, create func() (nkeys.KeyPair, error)) (seed, public string) {
	t.Helper()
	pair, err := create()
	if err != nil {
		t.Fatal(err)
	}
	text, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	public, err = pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return string(text), public
}

func TestConnect_NKey(t *testing.T) {
	seed, public := nkey(t, nkeys.CreateUser)
	srv := startNATS(t, func(o *server.Options) { o.Nkeys = []*server.NkeyUser{{Nkey: public}} })
	for _, text := range []string{seed, seed + "\n"} {
		nc, err := bus.Connect(t.Context(), bus.Config{URL: srv.running.ClientURL(), NKeySeed: text}, contract.Chat, telemetry.Discard(contract.Chat))
		if err != nil {
			t.Fatal(err)
		}
		nc.Close()
	}
}

// What can't be is said at once, by the setting's name and without a secret.
func TestConnect_refuses_settings(t *testing.T) {
	seed, public := nkey(t, nkeys.CreateUser)
	account, _ := nkey(t, nkeys.CreateAccount)
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for want, cfg := range map[string]bus.Config{
		"NATS_NKEY_SEED is no NKey seed":                   {NKeySeed: "hunter2"},
		"NATS_NKEY_SEED is no NKey seed, SU…":              {NKeySeed: seed[:len(seed)-1]},
		"connect to NATS: NATS_NKEY_SEED is no NKey seed,": {NKeySeed: public},
		"NATS_NKEY_SEED is not a user's":                   {NKeySeed: account},
		"NATS_NKEY_SEED stands in place of NATS_USER":      {NKeySeed: seed, User: "chat"},
		"NATS_CERT_FILE needs NATS_KEY_FILE":               {CertFile: missing},
		"NATS_KEY_FILE needs NATS_CERT_FILE":               {KeyFile: missing},
		"missing.pem":                                      {CAFile: missing},
	} {
		cfg.URL = "tls://127.0.0.1:1" // where nobody listens
		var log bytes.Buffer
		tel := telemetry.Discard(contract.Chat)
		tel.Log = slog.New(slog.NewTextHandler(&log, nil))
		_, err := bus.Connect(t.Context(), cfg, contract.Chat, tel)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
			continue
		}
		for _, secret := range []string{cfg.NKeySeed, cfg.Password} {
			if secret != "" && strings.Contains(err.Error()+log.String(), secret) {
				t.Errorf("%s: a secret is told", want)
			}
		}
	}
	_, err := bus.Connect(t.Context(), bus.Config{URL: "tls://127.0.0.1:1", CertFile: missing, KeyFile: missing}, contract.Chat, telemetry.Discard(contract.Chat))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("files that are missing: %v", err)
	}
}

func TestCheckServers(t *testing.T) {
	for _, list := range []string{"", "127.0.0.1", "127.0.0.1:4222", "nats://a:4222, tls://u:p@b:4222", "wss://n"} {
		if err := bus.CheckServers(list); err != nil {
			t.Errorf("%q: %v", list, err)
		}
	}
	for list, want := range map[string]string{
		"4222":                        `"4222" is a port only: write nats://127.0.0.1:4222`,
		"http://u:hunter2@n:4222":     "a server begins with http://: write nats://host:4222",
		"nats://a:4222,":              "a server is empty",
		"nats://":                     "a server is only nats://",
		"nats://a:4222,mongodb://b:1": "a server begins with mongodb://",
	} {
		if err := bus.CheckServers(list); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: got %v, want %s", list, err, want)
		}
	}
	_, err := bus.Connect(t.Context(), bus.Config{URL: "4222"}, contract.Chat, telemetry.Discard(contract.Chat))
	if err == nil || !strings.Contains(err.Error(), "NATS_URL: ") {
		t.Errorf("the variable is not named: %v", err)
	}
}
