package bus

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/parley-im/parley/pkg/contract"
)

// Config says where NATS is and who we are there. The settings have the same
// names in every service.
type Config struct {
	// URL may list several servers with commas, and may carry user and
	// password, which then count more than the fields below.
	URL      string `envconfig:"NATS_URL" default:"nats://127.0.0.1:4222" desc:"NATS servers, separated by commas; may carry user:password@."`
	User     string `envconfig:"NATS_USER" desc:"NATS user of this service, when the URL has none."`
	Password string `envconfig:"NATS_PASSWORD" desc:"Password of the NATS user."`
	// NKeySeed is a secret of this service alone: the server knows only the
	// public half, and so does its configuration.
	NKeySeed string `envconfig:"NATS_NKEY_SEED" desc:"Seed of this service's NKey, SU…; in place of user and password."`
	// The files are PEM. With any of them, or a tls:// URL, TLS is demanded.
	CAFile   string `envconfig:"NATS_CA_FILE" desc:"Certificates that may sign the server's; empty: those of the system."`
	CertFile string `envconfig:"NATS_CERT_FILE" desc:"Our certificate, when the server asks for one; goes with the key."`
	KeyFile  string `envconfig:"NATS_KEY_FILE" desc:"Key of our certificate."`
	Name     string `envconfig:"NATS_NAME" desc:"Name of the connection in the server's lists; empty: parley-<service>."`
}

const (
	// pingInterval finds a dead server after two unanswered pings.
	pingInterval = 20 * time.Second
	// reconnectWait and its jitter spread a thousand parts that lost the
	// only server over a second. Of several, the others are tried at once, and
	// the wait comes when none of them answered.
	reconnectWait   = 500 * time.Millisecond
	reconnectJitter = time.Second
)

// check names every setting that can't be.
func (c Config) check() error {
	var errs []error
	must := func(ok bool, problem string) {
		if !ok {
			errs = append(errs, errors.New(problem))
		}
	}
	if err := CheckServers(c.URL); err != nil {
		errs = append(errs, fmt.Errorf("NATS_URL: %w", err))
	}
	must(c.NKeySeed == "" || c.User == "", "NATS_NKEY_SEED stands in place of NATS_USER: set one of them")
	must(c.CertFile == "" || c.KeyFile != "", "NATS_CERT_FILE needs NATS_KEY_FILE")
	must(c.KeyFile == "" || c.CertFile != "", "NATS_KEY_FILE needs NATS_CERT_FILE")
	return errors.Join(errs...)
}

// CheckServers refuses a list of NATS servers, separated by commas, that can
// lead nowhere. Its error does not repeat users and passwords.
func CheckServers(list string) error {
	if list == "" {
		return nil // the client's own default
	}
	for _, server := range strings.Split(list, ",") {
		server = strings.TrimSpace(server)
		scheme, rest, hasScheme := strings.Cut(server, "://")
		switch {
		case server == "":
			return errors.New("a server is empty: write nats://host:4222, several separated by commas")
		case hasScheme && !slices.Contains([]string{"nats", "tls", "ws", "wss"}, scheme):
			return fmt.Errorf("a server begins with %s://: write nats://host:4222, or tls://host:4222", scheme)
		case hasScheme && rest == "":
			return fmt.Errorf("a server is only %s://: write %s://host:4222", scheme, scheme)
		case !hasScheme && strings.Trim(server, "0123456789") == "":
			return fmt.Errorf("%q is a port only: write nats://127.0.0.1:%s", server, server)
		}
	}
	return nil
}

// options are the same for every connection. It fails on settings that can't
// be.
func (c Config) options(service contract.Service) ([]nats.Option, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	name := c.Name
	if name == "" {
		name = "parley-" + string(service)
	}
	opts := []nats.Option{
		nats.Name(name),
		nats.CustomInboxPrefix(service.InboxPrefix()), // the only inbox that our NATS user may read
		nats.MaxReconnects(-1),
		nats.RetryOnFailedConnect(true),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		nats.PingInterval(pingInterval),
		nats.ReconnectBufSize(-1),   // the default keeps 8 MB and publishes it late
		nats.IgnoreAuthErrorAbort(), // passwords rotate; two refusals are no reason to give up
	}
	if c.NKeySeed != "" {
		nkey, err := c.nkey()
		if err != nil {
			return nil, err
		}
		opts = append(opts, nkey)
	}
	if c.User != "" {
		opts = append(opts, nats.UserInfo(c.User, c.Password))
	}
	if c.CAFile != "" {
		opts = append(opts, nats.RootCAs(c.CAFile))
	}
	if c.CertFile != "" {
		opts = append(opts, nats.ClientCert(c.CertFile, c.KeyFile))
	}
	return opts, nil
}

// nkey proves by a signature of the server's nonce who we are. Its errors hold
// nothing of the seed.
func (c Config) nkey() (nats.Option, error) {
	pair, err := nkeys.FromSeed([]byte(strings.TrimSpace(c.NKeySeed))) // from files they come with a line's end
	if err != nil {
		return nil, errors.New("NATS_NKEY_SEED is no NKey seed, SU…")
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("NATS_NKEY_SEED: %w", err)
	}
	if !nkeys.IsValidPublicUserKey(public) {
		return nil, errors.New("NATS_NKEY_SEED is not a user's, SU…")
	}
	return nats.Nkey(public, pair.Sign), nil
}

// redacted is the URL for logs and errors: servers without users.
func (c Config) redacted() string {
	servers := strings.Split(c.URL, ",")
	for i, s := range servers {
		u, err := url.Parse(strings.TrimSpace(s))
		if err != nil || u.Host == "" {
			_, host, found := strings.Cut(s, "@")
			if !found {
				host = s
			}
			servers[i] = host
			continue
		}
		u.User = nil
		servers[i] = u.String()
	}
	return strings.Join(servers, ",")
}
