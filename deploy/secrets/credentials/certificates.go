package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"
)

// The names of certificates and their keys, all PEM.
const (
	caCert     = "TLS_CA_CERT"
	caKey      = "TLS_CA_KEY" // signs; no container gets it
	serverCert = "TLS_CERT"   // of all engines
	serverKey  = "TLS_KEY"
	clientCert = "TLS_CLIENT_CERT" // of services, where an engine asks for one
	clientKey  = "TLS_CLIENT_KEY"
)

const (
	caLife   = 10 * 365 * 24 * time.Hour
	leafLife = 365 * 24 * time.Hour
	// skew is how far clocks may differ: certificates are valid from a little
	// before now.
	skew = time.Hour
)

// ComposeHosts are the names under which Docker Compose's containers reach the
// engines, and those of a laptop.
func ComposeHosts() []string {
	return []string{"nats-0", "nats-1", "nats-2", "nats", "mongo", "redis", "mailpit", "localhost", "127.0.0.1"}
}

// RotateCertificates issues new certificates for servers and clients by the
// authority that s has: whoever trusts it trusts old and new.
func (s Set) RotateCertificates(now time.Time, hosts []string) error {
	all, err := s.together(caCert, caKey)
	if err != nil {
		return err
	}
	if !all {
		return fmt.Errorf("%s is missing", caCert)
	}
	fresh := Set{caCert: s[caCert], caKey: s[caKey]}
	if err := fresh.fillCertificates(now, hosts); err != nil {
		return err
	}
	for name, text := range fresh {
		s[name] = text
	}
	return nil
}

// fillCertificates makes an authority, unless there is one, and what it has not
// signed yet. Given certificates of another authority need no key of it.
func (s Set) fillCertificates(now time.Time, hosts []string) error {
	haveServer, err := s.together(serverCert, serverKey)
	if err != nil {
		return err
	}
	haveClient, err := s.together(clientCert, clientKey)
	if err != nil {
		return err
	}
	if haveServer && haveClient && s[caCert] != "" {
		return nil
	}
	haveCA, err := s.together(caCert, caKey)
	if err != nil {
		return err
	}
	if !haveCA && (haveServer || haveClient) {
		return fmt.Errorf("%s is missing, but what it signed is there", caCert)
	}
	if !haveCA {
		if s[caCert], s[caKey], err = newAuthority(now); err != nil {
			return err
		}
	}
	ca, err := s.authority()
	if err != nil {
		return err
	}
	if !haveServer {
		if s[serverCert], s[serverKey], err = ca.server(now, hosts); err != nil {
			return err
		}
	}
	if !haveClient {
		s[clientCert], s[clientKey], err = ca.client(now)
	}
	return err
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  any
}

func newAuthority(now time.Time) (certPEM, keyPEM string, err error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Parley's certificate authority"},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(caLife),
		IsCA:                  true,
		MaxPathLenZero:        true, // it signs certificates of its own, no other authorities
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return issue(template, nil)
}

func (s Set) authority() (*authority, error) {
	pair, err := tls.X509KeyPair([]byte(s[caCert]), []byte(s[caKey]))
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", caCert, caKey, err)
	}
	if !pair.Leaf.IsCA {
		return nil, fmt.Errorf("%s is no authority's", caCert)
	}
	return &authority{cert: pair.Leaf, key: pair.PrivateKey}, nil
}

// server is a certificate for servers. Those of a NATS cluster are each
// other's clients, too.
func (a *authority) server(now time.Time, hosts []string) (certPEM, keyPEM string, err error) {
	if len(hosts) == 0 {
		return "", "", errors.New("a server's certificate needs hosts")
	}
	template := leaf(now, "Parley's engines", x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return issue(template, a)
}

func (a *authority) client(now time.Time) (certPEM, keyPEM string, err error) {
	return issue(leaf(now, "Parley's services", x509.ExtKeyUsageClientAuth), a)
}

func leaf(now time.Time, name string, usage ...x509.ExtKeyUsage) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(leafLife),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           usage,
	}
}

// issue makes a key and a certificate of it, signed by the authority; nil:
// by the key itself. The serial number is random.
func issue(template *x509.Certificate, by *authority) (certPEM, keyPEM string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", fmt.Errorf("make a key: %w", err)
	}
	if by == nil {
		by = &authority{cert: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, &key.PublicKey, by.key)
	if err != nil {
		return "", "", fmt.Errorf("sign a certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", fmt.Errorf("encode a key: %w", err)
	}
	certPEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	keyPEM = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	return certPEM, keyPEM, nil
}
