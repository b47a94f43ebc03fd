package credentials_test

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/parley-im/parley/deploy/secrets/credentials"
)

func filled(t *testing.T) credentials.Set {
	t.Helper()
	s := credentials.Set{}
	if err := s.Fill(time.Now(), credentials.ComposeHosts()); err != nil {
		t.Fatal(err)
	}
	return s
}

var users = []string{"AUTH", "SOCIAL", "CHAT", "GATEWAY", "ADMIN", "OBSERVER", "OPERATOR", "SYSTEM"}

// What docker-compose.yml and the chart read is spelled here once more: a name
// that changes breaks installations.
func TestFill_makes_all(t *testing.T) {
	want := []string{
		"AUTH_KEY_SECRET", "MONGO_ROOT_PASSWORD", "MONGO_AUTH_PASSWORD", "MONGO_SOCIAL_PASSWORD", "MONGO_CHAT_PASSWORD",
		"MONGO_KEYFILE", "REDIS_PASSWORD", "GRAFANA_PASSWORD", "NATS_CLUSTER_PASSWORD",
		"TLS_CA_CERT", "TLS_CA_KEY", "TLS_CERT", "TLS_KEY", "TLS_CLIENT_CERT", "TLS_CLIENT_KEY",
	}
	for _, user := range users {
		want = append(want, "NATS_"+user+"_SEED", "NATS_"+user+"_NKEY", "NATS_"+user+"_NKEY_OLD")
	}
	slices.Sort(want)
	s := filled(t)
	if got := slices.Sorted(maps.Keys(s)); !slices.Equal(got, want) {
		t.Errorf("made %v, want %v", got, want)
	}
	if got := slices.Sorted(slices.Values(credentials.Names())); !slices.Equal(got, want) {
		t.Errorf("names are %v, want %v", got, want)
	}
	seen := map[string]string{}
	other := filled(t)
	for name, value := range s {
		if seen[value] != "" || value == other[name] {
			t.Errorf("%s is not random: the same as %s", name, seen[value])
		}
		seen[value] = name
	}
}

func TestFill_forms(t *testing.T) {
	s := filled(t)
	// NATS would take TRUE or 2E5 in its environment for no string.
	password := regexp.MustCompile(`^[A-Z][A-Z0-9]{25,}$`)
	for name, value := range s {
		if strings.HasSuffix(name, "_PASSWORD") && !password.MatchString(value) {
			t.Errorf("%s has another form", name)
		}
	}
	if key, err := base64.RawURLEncoding.DecodeString(s["AUTH_KEY_SECRET"]); err != nil || len(key) != 32 {
		t.Errorf("AUTH_KEY_SECRET: %d bytes, %v", len(key), err)
	}
	if n := len(s["MONGO_KEYFILE"]); n < 6 || n > 1024 || !regexp.MustCompile(`^[A-Za-z0-9+/]+$`).MatchString(s["MONGO_KEYFILE"]) {
		t.Errorf("MONGO_KEYFILE has %d characters, or others than base64's", n)
	}
	for _, user := range users {
		pair, err := nkeys.FromSeed([]byte(s["NATS_"+user+"_SEED"]))
		if err != nil {
			t.Fatal(err)
		}
		public, err := pair.PublicKey()
		if err != nil || public != s["NATS_"+user+"_NKEY"] || !nkeys.IsValidPublicUserKey(public) {
			t.Errorf("%s: the key is not the seed's: %v", user, err)
		}
		if old := s["NATS_"+user+"_NKEY_OLD"]; !nkeys.IsValidPublicUserKey(old) || old == public {
			t.Errorf("%s: the old key is none", user)
		}
	}
}

func TestFill_changes_nothing(t *testing.T) {
	s := filled(t)
	before := maps.Clone(s)
	if err := s.Fill(time.Now().Add(time.Hour), []string{"other"}); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(s, before) {
		t.Error("a second run changed secrets")
	}
	for _, missing := range [][]string{
		{"REDIS_PASSWORD"}, {"AUTH_KEY_SECRET"}, {"NATS_CHAT_NKEY"}, {"NATS_CHAT_NKEY_OLD"}, {"NATS_CHAT_SEED", "NATS_CHAT_NKEY"},
		{"TLS_CERT", "TLS_KEY"}, {"TLS_CLIENT_CERT", "TLS_CLIENT_KEY"},
	} {
		s := maps.Clone(before)
		for _, name := range missing {
			delete(s, name)
		}
		if err := s.Fill(time.Now(), credentials.ComposeHosts()); err != nil {
			t.Errorf("without %s: %v", missing, err)
		}
		for name, value := range before {
			if s[name] == "" || s[name] != value && !slices.Contains(missing, name) {
				t.Errorf("without %s: %s changed or is missing", missing, name)
			}
		}
	}
}

// Half of a pair can't be made to fit, and nothing is made in its place.
func TestFill_names_what_is_missing(t *testing.T) {
	whole := filled(t)
	for name, missing := range map[string][]string{
		"NATS_CHAT_SEED":  {"NATS_CHAT_SEED"},
		"TLS_KEY":         {"TLS_KEY"},
		"TLS_CERT":        {"TLS_CERT"},
		"TLS_CLIENT_KEY":  {"TLS_CLIENT_KEY"},
		"TLS_CLIENT_CERT": {"TLS_CLIENT_CERT"},
		"TLS_CA_KEY":      {"TLS_CA_KEY", "TLS_CERT", "TLS_KEY"},
		"TLS_CA_CERT":     {"TLS_CA_CERT"},
	} {
		s := maps.Clone(whole)
		for _, m := range missing {
			delete(s, m)
		}
		if err := s.Fill(time.Now(), credentials.ComposeHosts()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
	for name, value := range map[string]string{
		"NATS_AUTH_NKEY": whole["NATS_CHAT_NKEY"], "NATS_AUTH_SEED": "SUANOSEED",
	} {
		s := maps.Clone(whole)
		s[name] = value
		err := s.Fill(time.Now(), credentials.ComposeHosts())
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "NOSEED") {
			t.Errorf("%s of another: %v", name, err)
		}
	}
	// A company's own authority keeps its key to itself.
	s := maps.Clone(whole)
	delete(s, "TLS_CA_KEY")
	if err := s.Fill(time.Now(), credentials.ComposeHosts()); err != nil {
		t.Error(err)
	}
}

func TestRotateNKeys(t *testing.T) {
	s := filled(t)
	first := maps.Clone(s)
	if err := s.RotateNKeys(); err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`^NATS_.*_(SEED|NKEY|NKEY_OLD)$`)
	for name, value := range first {
		if changed := s[name] != value; changed != key.MatchString(name) {
			t.Errorf("%s changed: %v", name, changed)
		}
	}
	for _, user := range users {
		if s["NATS_"+user+"_NKEY_OLD"] != first["NATS_"+user+"_NKEY"] {
			t.Errorf("%s: the old key is not the one before", user)
		}
	}
	if err := s.Fill(time.Now(), credentials.ComposeHosts()); err != nil {
		t.Errorf("new seeds and keys: %v", err)
	}
	if err := (credentials.Set{}).RotateNKeys(); err == nil || !strings.Contains(err.Error(), "NATS_AUTH_NKEY") {
		t.Errorf("of nothing: %v", err)
	}
}
