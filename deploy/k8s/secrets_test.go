package k8s

import (
	"crypto/tls"
	"net/url"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/parley-im/parley/deploy/secrets/credentials"
	"github.com/parley-im/parley/pkg/contract"
)

// made are the Secrets of "make secrets" for the chart's own engines.
func made(t *testing.T) map[string]*corev1.Secret {
	t.Helper()
	set := credentials.Set{}
	if err := set.Fill(time.Now(), credentials.ClusterHosts("chat")); err != nil {
		t.Fatal(err)
	}
	text, err := credentials.Manifests(set, credentials.Cluster{
		Mongo: "mongodb://parley-mongo:27017/?replicaSet=rs0", Redis: "redis://parley-redis:6379/0", SMTP: "smtp://parley-mailpit:1025",
	})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := decode(string(text))
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]*corev1.Secret{}
	for _, o := range objects {
		secrets[o.GetName()] = o.(*corev1.Secret)
	}
	return secrets
}

// The chart's own engines need no Secret, and no key of one, that make secrets
// does not make.
func TestSecrets_are_those_that_are_made(t *testing.T) {
	secrets := made(t)
	needs := func(w workload, secret, key string) {
		if s := secrets[secret]; s == nil || s.StringData[key] == "" {
			t.Errorf("%s needs %s of the Secret %s, which make secrets does not make", w.name, key, secret)
		}
	}
	for _, w := range render(t, "engines").workloads() {
		for _, c := range w.containers() {
			for _, v := range c.Env {
				if v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil {
					needs(w, v.ValueFrom.SecretKeyRef.Name, v.ValueFrom.SecretKeyRef.Key)
				}
			}
		}
		for _, v := range w.spec.Volumes {
			if v.Secret == nil {
				continue
			}
			if len(v.Secret.Items) == 0 {
				needs(w, v.Secret.SecretName, "tls.crt")
			}
			for _, item := range v.Secret.Items {
				needs(w, v.Secret.SecretName, item.Key)
			}
		}
	}
}

// The URLs in those Secrets, and the certificate, are for the names that the
// engines have.
func TestSecrets_name_the_engines(t *testing.T) {
	secrets, r := made(t), render(t, "engines")
	services := map[string]bool{}
	for _, o := range of[*corev1.Service](r) {
		for _, p := range o.Spec.Ports {
			services[o.Name+":"+p.TargetPort.StrVal] = true
		}
	}
	for variable, port := range map[string]string{"AUTH_STORE": "mongodb", "REDIS_URL": "redis", "SMTP_URL": "smtp"} {
		u, err := url.Parse(secrets["parley-auth"].StringData[variable])
		if err != nil {
			t.Fatal(err)
		}
		if !services[u.Hostname()+":"+port] {
			t.Errorf("%s is at %s, where nothing listens", variable, u.Host)
		}
	}
	pair := secrets["parley-nats-tls"].StringData
	certificate, err := tls.X509KeyPair([]byte(pair["tls.crt"]), []byte(pair["tls.key"]))
	if err != nil {
		t.Fatal(err)
	}
	hosts := []string{"parley-mailpit"}
	for server := range strings.SplitSeq(env(r.service(contract.Chat).spec.Containers[0])["NATS_URL"].Value, ",") {
		u, err := url.Parse(server)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, u.Hostname())
	}
	if len(hosts) != 4 {
		t.Fatalf("NATS is at %v", hosts[1:])
	}
	for _, host := range hosts {
		if err := certificate.Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
}
