package credentials_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/deploy/secrets/credentials"
)

func certificate(t *testing.T, s credentials.Set, name string) *x509.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair([]byte(s[name+"_CERT"]), []byte(s[name+"_KEY"]))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if key, ok := pair.PrivateKey.(*ecdsa.PrivateKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("%s: another kind of key", name)
	}
	return pair.Leaf
}

// verify reports whether whoever trusts the authority of s takes the
// certificate for that use, as that host.
func verify(s credentials.Set, cert *x509.Certificate, host string, usage x509.ExtKeyUsage) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(s["TLS_CA_CERT"]))
	_, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

func TestCertificates(t *testing.T) {
	s := filled(t)
	ca, server, client := certificate(t, s, "TLS_CA"), certificate(t, s, "TLS"), certificate(t, s, "TLS_CLIENT")
	for name, c := range map[string]struct {
		cert *x509.Certificate
		days int
	}{"authority": {ca, 3650}, "server": {server, 365}, "client": {client, 365}} {
		if days := int(time.Until(c.cert.NotAfter).Hours()/24 + 0.5); days != c.days || time.Since(c.cert.NotBefore) < time.Minute {
			t.Errorf("%s: valid from %v for %d days", name, c.cert.NotBefore, days)
		}
	}
	for _, host := range []string{"nats-0", "nats-1", "nats-2", "nats", "mongo", "redis", "mailpit", "localhost", "127.0.0.1"} {
		if err := verify(s, server, host, x509.ExtKeyUsageServerAuth); err != nil {
			t.Errorf("server as %s: %v", host, err)
		}
	}
	if err := verify(s, server, "", x509.ExtKeyUsageClientAuth); err != nil {
		t.Errorf("server as the client of another: %v", err)
	}
	if err := verify(s, client, "", x509.ExtKeyUsageClientAuth); err != nil {
		t.Errorf("client: %v", err)
	}
	if verify(s, server, "example.org", x509.ExtKeyUsageServerAuth) == nil {
		t.Error("server as any host")
	}
	if verify(s, client, "", x509.ExtKeyUsageServerAuth) == nil {
		t.Error("a client may be a server")
	}
	if verify(filled(t), server, "nats", x509.ExtKeyUsageServerAuth) == nil {
		t.Error("another authority vouches for it")
	}
}

func TestRotateCertificates(t *testing.T) {
	s := filled(t)
	was := maps.Clone(s)
	if err := s.RotateCertificates(time.Now().Add(300*24*time.Hour), credentials.ComposeHosts()); err != nil {
		t.Fatal(err)
	}
	leafs := "TLS_CERT TLS_KEY TLS_CLIENT_CERT TLS_CLIENT_KEY"
	for name, value := range was {
		if changed := s[name] != value; changed != strings.Contains(leafs, name) {
			t.Errorf("%s changed: %v", name, changed)
		}
	}
	for _, name := range []string{"TLS", "TLS_CLIENT"} {
		before, after := certificate(t, was, name), certificate(t, s, name)
		if before.SerialNumber.Cmp(after.SerialNumber) == 0 || !after.NotAfter.After(before.NotAfter) {
			t.Errorf("%s is no newer", name)
		}
		if err := after.CheckSignatureFrom(certificate(t, was, "TLS_CA")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, missing := range []string{"TLS_CA_CERT", "TLS_CA_KEY"} {
		s := maps.Clone(was)
		delete(s, missing)
		if err := s.RotateCertificates(time.Now(), credentials.ComposeHosts()); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v", missing, err)
		}
		if s["TLS_CERT"] != was["TLS_CERT"] {
			t.Errorf("without %s the certificate changed", missing)
		}
	}
}

func TestClusterHosts(t *testing.T) {
	s := credentials.Set{}
	if err := s.Fill(time.Now(), credentials.ClusterHosts("im")); err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{
		"parley-nats", "parley-nats.im", "parley-nats.im.svc.cluster.local", "parley-nats-0.parley-nats.im.svc.cluster.local",
		"parley-nats-2.parley-nats", "parley-mongo-0.parley-mongo.im.svc", "parley-redis", "parley-mailpit", "localhost",
	} {
		if err := verify(s, certificate(t, s, "TLS"), host, x509.ExtKeyUsageServerAuth); err != nil {
			t.Error(err)
		}
	}
}
