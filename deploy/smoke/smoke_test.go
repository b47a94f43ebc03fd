package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/deploy/secrets/credentials"
	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
)

func TestMain(m *testing.M) {
	code := m.Run()
	system.Cleanup()
	os.Exit(code)
}

// try runs smoke and returns what it printed.
func try(t *testing.T, accounts string, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	err := smoke(t.Context(), append(args, "-timeout=90s"), accounts, &out)
	return out.String(), err
}

// has checks that the output has the lines of all these steps, in order.
func has(t *testing.T, out string, steps ...string) {
	t.Helper()
	rest := out
	for _, step := range steps {
		_, after, ok := strings.Cut(rest, step)
		if !ok {
			t.Fatalf("no %q, or not in its place, in\n%s", step, out)
		}
		rest = after
	}
}

var steps = []string{"gateways", "accounts", "friends", "connected", "sent", "received", "history"}

func TestSmoke_accounts(t *testing.T) {
	s := system.Start(t, system.Options{Replicas: 1, Gateways: 2})
	api, err := person.NewAPI(filepath.Join("..", "..", "docs", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ann := person.New(t, api, s.URLs[0], "ann", s.Code)
	bob := person.New(t, api, s.URLs[1], "bob", s.Code)
	accounts := fmt.Sprintf("%s:%s,%s:%s", ann.Account, person.Password, bob.Account, person.Password)
	gateways := "-gateways=" + strings.Join(s.URLs, ",")

	t.Run("strangers, then friends", func(t *testing.T) {
		for range 2 {
			out, err := try(t, accounts, gateways)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			has(t, out, steps...)
			has(t, out, ann.Account+" at "+s.URLs[0]+", "+bob.Account+" at "+s.URLs[1])
		}
	})
	t.Run("one address of a name", func(t *testing.T) {
		out, err := try(t, accounts, "-resolve="+strings.TrimPrefix(s.URLs[0], "http://"))
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		has(t, out, "only one", "history")
	})
	t.Run("a wrong password is told at once", func(t *testing.T) {
		out, err := try(t, ann.Account+":wrong password,"+bob.Account+":"+person.Password, gateways)
		if err == nil || !strings.Contains(err.Error(), ann.Account) || strings.Contains(out, "friends") {
			t.Fatalf("%v\n%s", err, out)
		}
		if strings.Contains(err.Error(), "wrong password") {
			t.Errorf("the error has the password: %v", err)
		}
	})
	t.Run("a gateway that is not there", func(t *testing.T) {
		var out strings.Builder
		err := smoke(t.Context(), []string{"-gateways=" + s.URLs[0] + ",http://" + system.FreeAddr(t), "-timeout=2s"}, accounts, &out)
		if err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Fatalf("%v\n%s", err, out.String())
		}
	})
}

func TestSmoke_mailpit(t *testing.T) {
	mail, smtp, trusted := startMailpit(t)
	// As the chart has services trust a private authority.
	s := system.Start(t, system.Options{Replicas: 1, Gateways: 2, Env: []string{"SMTP_URL=" + smtp, "SSL_CERT_DIR=" + trusted}})
	out, err := try(t, "", "-gateways="+strings.Join(s.URLs, ","), "-mailpit="+mail)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	has(t, out, append([]string{"mail"}, steps...)...)
}

func TestSmoke_wrong_words(t *testing.T) {
	for name, c := range map[string]struct {
		accounts string
		args     []string
		want     string
	}{
		"no gateways":        {"a:b,c:d", nil, "-gateways"},
		"both":               {"a:b,c:d", []string{"-gateways=http://a", "-resolve=b:1"}, "-gateways"},
		"more words":         {"a:b,c:d", []string{"-gateways=http://a", "now"}, "now"},
		"no accounts":        {"", []string{"-gateways=http://a"}, "SMOKE_ACCOUNTS"},
		"an account only":    {"a:b", []string{"-gateways=http://a"}, "SMOKE_ACCOUNTS"},
		"without a password": {"a:b,c", []string{"-gateways=http://a"}, "account 2"},
		"one twice":          {"a:b,a:b", []string{"-gateways=http://a"}, "twice"},
		"no port":            {"a:b,c:d", []string{"-resolve=localhost"}, "port"},
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := try(t, c.accounts, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// startMailpit runs the real one, which takes mail by STARTTLS only, and
// returns where its API and its SMTP are, and a directory with the certificate
// of the authority that signed its own.
func startMailpit(t *testing.T) (api, smtp, trusted string) {
	t.Helper()
	binary := system.Tool(t, "mailpit")
	set, dir, trusted := credentials.Set{}, t.TempDir(), t.TempDir()
	if err := set.Fill(time.Now(), []string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for file, text := range map[string]string{cert: set["TLS_CERT"], key: set["TLS_KEY"], filepath.Join(trusted, "ca.crt"): set["TLS_CA_CERT"]} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	http, mail := system.FreeAddr(t), system.FreeAddr(t)
	cmd := exec.Command(binary, "--listen="+http, "--smtp="+mail, "--disable-version-check", "--max=500",
		"--smtp-tls-cert="+cert, "--smtp-tls-key="+key, "--smtp-require-starttls")
	cmd.Dir = dir
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("--- mailpit\n%s", log.String())
		}
	})
	awaitMailpit(t, "http://"+http)
	return "http://" + http, "smtp://" + mail, trusted
}

func awaitMailpit(t *testing.T, api string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := persist(ctx, func() error { return call(ctx, http.MethodGet, api+"/readyz", nil, nil) }); err != nil {
		t.Fatalf("mailpit is not ready: %v", err)
	}
}
