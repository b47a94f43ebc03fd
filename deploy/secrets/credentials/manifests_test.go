package credentials_test

import (
	"crypto/tls"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/parley-im/parley/deploy/secrets/credentials"
)

func cluster() credentials.Cluster {
	return credentials.Cluster{
		Namespace: "im", Mongo: "mongodb://m-0:27017,m-1:27017/?replicaSet=rs0&tls=true", Redis: "rediss://r:6379/0",
		SMTP: "smtp://u:p@mail:587",
	}
}

// secrets decodes manifests as the API server would, strictly.
func secrets(t *testing.T, manifests []byte) map[string]corev1.Secret {
	t.Helper()
	list := map[string]corev1.Secret{}
	for _, document := range strings.Split("\n"+string(manifests), "\n---\n")[1:] {
		var s corev1.Secret
		if err := yaml.UnmarshalStrict([]byte(document), &s); err != nil {
			t.Fatal(err)
		}
		if s.APIVersion != "v1" || s.Kind != "Secret" {
			t.Errorf("%s is a %s %s", s.Name, s.APIVersion, s.Kind)
		}
		list[s.Name] = s
	}
	return list
}

func TestManifests(t *testing.T) {
	s := filled(t)
	manifests, err := credentials.Manifests(s, cluster())
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, user := range users {
		keys = append(keys, "NATS_"+user+"_NKEY", "NATS_"+user+"_NKEY_OLD")
	}
	got := secrets(t, manifests)
	want := map[string][]string{
		"parley-auth":        {"AUTH_KEY_SECRET", "AUTH_STORE", "REDIS_URL", "SMTP_URL", "NATS_NKEY_SEED"},
		"parley-social":      {"SOCIAL_STORE", "NATS_NKEY_SEED"},
		"parley-chat":        {"CHAT_STORE", "NATS_NKEY_SEED"},
		"parley-gateway":     {"REDIS_URL", "NATS_NKEY_SEED"},
		"parley-nats-ca":     {"ca.crt"},
		"parley-nats-client": {"tls.crt", "tls.key"},
		"parley-nats":        append(keys, "NATS_CLUSTER_PASSWORD"),
		"parley-nats-tls":    {"tls.crt", "tls.key", "ca.crt"},
		"parley-mongo":       {"MONGO_ROOT_PASSWORD", "MONGO_AUTH_PASSWORD", "MONGO_SOCIAL_PASSWORD", "MONGO_CHAT_PASSWORD", "MONGO_KEYFILE"},
		"parley-redis":       {"REDIS_PASSWORD"},
	}
	if len(got) != len(want) {
		t.Errorf("got %v", slices.Sorted(maps.Keys(got)))
	}
	for name, fields := range want {
		has := slices.Sorted(maps.Keys(got[name].StringData))
		if slices.Sort(fields); !slices.Equal(has, fields) || got[name].Namespace != "im" {
			t.Errorf("%s in %q has %v, want %v", name, got[name].Namespace, has, fields)
		}
		if _, pair := got[name].StringData["tls.crt"]; pair != (got[name].Type == corev1.SecretTypeTLS) {
			t.Errorf("%s has type %s", name, got[name].Type)
		}
		if pair := got[name].StringData; pair["tls.crt"] != "" {
			if _, err := tls.X509KeyPair([]byte(pair["tls.crt"]), []byte(pair["tls.key"])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, secret := range []string{s["TLS_CA_KEY"], s["NATS_OPERATOR_SEED"], s["NATS_SYSTEM_SEED"], s["NATS_OBSERVER_SEED"], s["NATS_ADMIN_SEED"]} {
		if line := strings.Split(secret, "\n"); strings.Contains(string(manifests), line[len(line)/2]) {
			t.Error("a secret that no pod needs")
		}
	}
}

func TestManifests_URLs(t *testing.T) {
	s := filled(t)
	manifests, err := credentials.Manifests(s, cluster())
	if err != nil {
		t.Fatal(err)
	}
	got := secrets(t, manifests)
	for _, service := range []string{"auth", "social", "chat"} {
		name := strings.ToUpper(service)
		want := "mongodb://" + service + ":" + s["MONGO_"+name+"_PASSWORD"] + "@m-0:27017,m-1:27017/" + service + "?replicaSet=rs0&tls=true"
		if have := got["parley-"+service].StringData[name+"_STORE"]; have != want {
			t.Errorf("%s_STORE is %s, want %s", name, have, want)
		}
		if seed := got["parley-"+service].StringData["NATS_NKEY_SEED"]; seed != s["NATS_"+name+"_SEED"] {
			t.Errorf("%s has another's seed", service)
		}
	}
	for _, service := range []string{"auth", "gateway"} {
		u, err := url.Parse(got["parley-"+service].StringData["REDIS_URL"])
		if err != nil {
			t.Fatal(err)
		}
		if password, _ := u.User.Password(); u.Scheme != "rediss" || u.User.Username() != "" || password != s["REDIS_PASSWORD"] || u.Host != "r:6379" || u.Path != "/0" {
			t.Errorf("REDIS_URL of %s is %s", service, u)
		}
	}
	for flag, c := range map[string]credentials.Cluster{
		"-mongo must be":       {Mongo: "m:27017", Redis: "redis://r"},
		"-mongo must not name": {Mongo: "mongodb://m/chat", Redis: "redis://r"},
		"-redis must be":       {Mongo: "mongodb://m", Redis: "redis:///0"},
	} {
		if _, err := credentials.Manifests(s, c); err == nil || !strings.HasPrefix(err.Error(), flag) {
			t.Errorf("got %v, want %s…", err, flag)
		}
	}
	given, err := credentials.Manifests(s, credentials.Cluster{Mongo: "mongodb://root:secret@m", Redis: "redis://:secret@r"})
	if err != nil {
		t.Fatal(err)
	}
	data := secrets(t, given)["parley-auth"].StringData
	if data["AUTH_STORE"] != "mongodb://root:secret@m/auth" || data["REDIS_URL"] != "redis://:secret@r" {
		t.Errorf("given users became %v", data)
	}
}

func TestManifests_need_all(t *testing.T) {
	s := filled(t)
	delete(s, "NATS_CHAT_SEED")
	delete(s, "TLS_CA_KEY")
	_, err := credentials.Manifests(s, cluster())
	if err == nil || err.Error() != "NATS_CHAT_SEED is missing" {
		t.Errorf("got %v", err)
	}
}
