package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-im/parley/deploy/secrets/credentials"
)

func TestRun_env(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".env")
	secrets := func(args ...string) credentials.Set {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if err := run(append([]string{"env", "-out", path}, args...), &stdout, &stderr); err != nil {
			t.Fatal(err)
		}
		file, err := credentials.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range file.Set {
			if strings.Contains(stdout.String()+stderr.String(), value) {
				t.Errorf("%s is on the terminal", name)
			}
		}
		return file.Set
	}
	first := secrets()
	again := secrets()
	for name := range first {
		if again[name] != first[name] {
			t.Errorf("%s changed", name)
		}
	}
	keys := secrets("-rotate", "nats")
	if keys["NATS_CHAT_NKEY_OLD"] != first["NATS_CHAT_NKEY"] || keys["TLS_CERT"] != first["TLS_CERT"] {
		t.Error("-rotate nats")
	}
	certs := secrets("-rotate", "tls", "-hosts", "nats.example.org")
	if certs["TLS_CERT"] == first["TLS_CERT"] || certs["TLS_CA_CERT"] != first["TLS_CA_CERT"] || certs["NATS_CHAT_NKEY"] != keys["NATS_CHAT_NKEY"] {
		t.Error("-rotate tls")
	}
}

// Applied twice, the manifests say the same.
func TestRun_manifests(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".env.kubernetes")
	var first, second, stderr bytes.Buffer
	args := []string{"manifests", "-out", path, "-namespace", "im", "-smtp", "smtp://mail:587"}
	for _, stdout := range []*bytes.Buffer{&first, &second} {
		if err := run(args, stdout, &stderr); err != nil {
			t.Fatal(err)
		}
	}
	if first.Len() == 0 || first.String() != second.String() {
		t.Error("the second time the Secrets are others")
	}
	var rotated bytes.Buffer
	if err := run(append(args, "-rotate", "nats"), &rotated, &stderr); err != nil {
		t.Fatal(err)
	}
	if rotated.String() == first.String() || !strings.HasPrefix(rotated.String(), "---\napiVersion: v1\n") {
		t.Error("-rotate nats")
	}
}

func TestRun_refuses(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"env or manifests":          nil,
		"say env":                   {"secrets"},
		"-rotate must be":           {"env", "-rotate", "mongo"},
		`what is "nats"`:            {"env", "-rotate", "nats", "nats"},
		"not defined: -mongo":       {"env", "-mongo", "mongodb://m"},
		"NATS_AUTH_NKEY is missing": {"env", "-rotate", "nats"},
		"TLS_CA_CERT is missing":    {"env", "-rotate", "tls"},
		"-mongo must be a URL":      {"manifests", "-mongo", "m"},
	} {
		if len(args) > 1 {
			args = append([]string{args[0], "-out", filepath.Join(dir, "none")}, args[1:]...)
			_ = os.Remove(filepath.Join(dir, "none"))
		}
		var stdout, stderr bytes.Buffer
		if err := run(args, &stdout, &stderr); err == nil || !strings.Contains(err.Error(), want) || stdout.Len() > 0 {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
}
