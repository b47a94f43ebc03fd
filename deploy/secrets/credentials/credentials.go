// Package credentials makes, keeps and renews the secrets of an installation:
// passwords, NKeys of NATS users, a certificate authority and the certificates
// that it signs. A [File] keeps them as the .env of Docker Compose, [Manifests]
// writes them as Secrets of Kubernetes.
package credentials

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	natsconf "github.com/parley-im/parley/deploy/nats"
)

// Set has the secrets by the names of their variables.
type Set map[string]string

// sealing is the one whose loss or change costs data: auth's signing keys are
// sealed under it.
const sealing = "AUTH_KEY_SECRET"

// sealingBytes and keyfileBytes are the random bytes of auth's secret and of
// the key that the members of MongoDB's replica set share, in base64. MongoDB
// takes 6 to 1024 characters.
const (
	sealingBytes = 32
	keyfileBytes = 384
)

// passwords are the names of secrets that are plain random text.
func passwords() []string {
	return []string{
		"MONGO_ROOT_PASSWORD", "MONGO_AUTH_PASSWORD", "MONGO_SOCIAL_PASSWORD", "MONGO_CHAT_PASSWORD",
		"REDIS_PASSWORD", "GRAFANA_PASSWORD", "NATS_CLUSTER_PASSWORD",
	}
}

// Names are all secrets, in the order in which a file has them.
func Names() []string {
	names := append([]string{sealing}, passwords()...)
	names = append(names, "MONGO_KEYFILE")
	for _, user := range natsconf.Users() {
		names = append(names, natsconf.SeedVar(user), natsconf.NKeyVar(user), natsconf.OldNKeyVar(user))
	}
	return append(names, caCert, caKey, serverCert, serverKey, clientCert, clientKey)
}

// Fill makes what is missing and changes nothing that is there. Certificates
// are valid from now on; those of servers are for hosts. It fails, having
// changed s in part, when something is there without what it belongs to, which
// the error names.
func (s Set) Fill(now time.Time, hosts []string) error {
	s.ensure(sealing, func() string { return randomBase64(base64.RawURLEncoding, sealingBytes) })
	for _, name := range passwords() {
		s.ensure(name, password)
	}
	s.ensure("MONGO_KEYFILE", func() string { return randomBase64(base64.StdEncoding, keyfileBytes) })
	var errs []error
	for _, user := range natsconf.Users() {
		errs = append(errs, s.fillNKey(user))
	}
	return errors.Join(append(errs, s.fillCertificates(now, hosts))...)
}

func (s Set) ensure(name string, secret func() string) {
	if s[name] == "" {
		s[name] = secret()
	}
}

// password is 130 random bits as letters and digits, so that it may stand in
// URLs, and begins with a letter: NATS takes what begins with a digit in its
// environment for a number.
func password() string {
	for {
		if text := rand.Text(); text[0] >= 'A' {
			return text
		}
	}
}

func randomBase64(encoding *base64.Encoding, n int) string {
	secret := make([]byte, n)
	_, _ = rand.Read(secret) // never fails: it ends the process instead
	return encoding.EncodeToString(secret)
}

// together says how many of some secrets that belong together are there: none,
// or all, or an error that names what is missing.
func (s Set) together(names ...string) (all bool, err error) {
	var there, missing []string
	for _, name := range names {
		if s[name] == "" {
			missing = append(missing, name)
		} else {
			there = append(there, name)
		}
	}
	if len(there) > 0 && len(missing) > 0 {
		return false, fmt.Errorf("%s is there without %s", there[0], missing[0])
	}
	return len(missing) == 0, nil
}
