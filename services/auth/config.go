package auth

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Config is auth's settings. Their variables begin with AUTH_, except those
// that all services share.
type Config struct {
	Store    string `envconfig:"STORE" default:"sqlite:data/auth.db" form:"begins=sqlite:,mongodb://,mongodb+srv://" desc:"Where users and sessions are kept: mongodb://… for many machines, sqlite:PATH for one."`
	RedisURL string `envconfig:"REDIS_URL" shared:"true" default:"redis://127.0.0.1:6379/0" form:"begins=redis://,rediss://" desc:"Redis, for codes and limits: redis://user:password@host:port/db, or rediss:// for TLS."`
	// With it TLS is demanded.
	RedisCAFile string `envconfig:"REDIS_CA_FILE" shared:"true" desc:"PEM file of certificates that may sign Redis's, besides the system's; goes with rediss://."`

	KeySecret string        `envconfig:"KEY_SECRET" desc:"Required, there is no default: a secret of at least 32 bytes that seals the signing key and keys all hashes; the same for all replicas, for ever."`
	AccessTTL time.Duration `envconfig:"ACCESS_TTL" default:"15m" desc:"How long an access token lives."`

	KeyRotation time.Duration `envconfig:"KEY_ROTATION" default:"720h" desc:"How often a new key takes over the signing of access tokens; nobody is logged out. 0: only when an admin asks for it."`
	KeyReload   time.Duration `envconfig:"KEY_RELOAD" default:"1m" desc:"How often the signing keys are read again; the same for all replicas. A new key signs after two such intervals and 10 s."`

	SessionTTL  time.Duration `envconfig:"SESSION_TTL" default:"720h" desc:"A session ends when it is not used for so long."`
	MaxSessions int           `envconfig:"MAX_SESSIONS" default:"50" desc:"Sessions of one user, at most 1000; with one more the longest unused ends."`
	SweepEvery  time.Duration `envconfig:"SWEEP_EVERY" default:"1m" desc:"How often ended sessions are looked through."`

	ArgonMemory  uint32        `envconfig:"ARGON_MEMORY_KIB" default:"19456" desc:"KiB of memory that hashing a password takes; no less than the default."`
	ArgonTime    uint32        `envconfig:"ARGON_TIME" default:"2" desc:"Passes over that memory; no less than the default."`
	ArgonThreads uint8         `envconfig:"ARGON_THREADS" default:"1" desc:"Threads that one hash uses."`
	HashAtOnce   int           `envconfig:"HASH_AT_ONCE" default:"0" desc:"Passwords hashed at the same time. 0: one a processor."`
	HashWait     time.Duration `envconfig:"HASH_WAIT" default:"3s" desc:"How long a login waits for its turn to hash before it is refused as too many."`

	CodesPerMinute      int `envconfig:"CODES_PER_MINUTE" default:"1" desc:"Codes mailed to one e-mail in a minute."`
	CodesPerHour        int `envconfig:"CODES_PER_HOUR" default:"5" desc:"Codes mailed to one e-mail in an hour."`
	AddressCodesPerHour int `envconfig:"ADDRESS_CODES_PER_HOUR" default:"20" desc:"Codes asked for from one network address in an hour."`
	LoginFailures       int `envconfig:"LOGIN_FAILURES" default:"10" desc:"Wrong passwords for one account from one network address in 15 minutes."`
	AccountFailures     int `envconfig:"ACCOUNT_FAILURES" default:"30" desc:"Wrong passwords for one account in an hour from all network addresses that have not logged in to it in the last 90 days."`
	AddressFailures     int `envconfig:"ADDRESS_FAILURES" default:"100" desc:"Wrong passwords and codes from one network address in 15 minutes."`

	SMTPURL       string `envconfig:"SMTP_URL" shared:"true" desc:"Mail server: smtps://user:password@host:465 for TLS, smtp://…:587 for STARTTLS; ?tls=none only for loopback."`
	SMTPCAFile    string `envconfig:"SMTP_CA_FILE" desc:"PEM file of certificates that may sign the mail server's, besides the system's."`
	MailFrom      string `envconfig:"MAIL_FROM" default:"Parley <parley@localhost>" desc:"Sender of mails."`
	MailTemplates string `envconfig:"MAIL_TEMPLATES" desc:"Directory of templates that stand in place of the built-in ones: LANGUAGE/KIND.txt and .html; see docs/operations.md."`
	MailQueue     int    `envconfig:"MAIL_QUEUE" default:"1000" desc:"Mails that wait to be sent, and as many more that wait for their next attempt; while it is full, codes are refused as unavailable."`
	CodeLog       bool   `envconfig:"CODE_LOG" default:"false" desc:"Without SMTP_URL: write codes to the log. For development only."`

	Workers  int `envconfig:"WORKERS" default:"256" desc:"Requests answered at the same time."`
	RPCQueue int `envconfig:"RPC_QUEUE" default:"1024" desc:"Requests that wait for a worker; one more is refused as unavailable."`

	NATS      bus.Config
	Stream    bus.StreamConfig
	Telemetry telemetry.Config
}

const (
	// minSecret is the least that AUTH_KEY_SECRET may have, in bytes.
	minSecret = 32
	// The least that OWASP recommends for argon2id:
	// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
	minMemory = 19456 // KiB
	minTime   = 2
	// maxAccessTTL keeps the list of ended sessions short.
	maxAccessTTL = 24 * time.Hour
	// maxSessions keeps an answer that lists a user's sessions below the size of a
	// NATS message.
	maxSessions = 1000
	// A key must have come to all replicas long before the next one is made.
	maxKeyReload   = 10 * time.Minute
	minKeyRotation = time.Hour
)

// check names every setting that can't be.
func (c Config) check() error {
	var errs []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	must(len(c.KeySecret) >= minSecret, "AUTH_KEY_SECRET must have at least %d bytes", minSecret)
	must(c.AccessTTL >= time.Second && c.AccessTTL <= maxAccessTTL, "AUTH_ACCESS_TTL must be 1s to %v", maxAccessTTL)
	must(c.KeyReload > 0 && c.KeyReload <= maxKeyReload, "AUTH_KEY_RELOAD must be more than 0 and at most %v", maxKeyReload)
	must(c.KeyRotation == 0 || c.KeyRotation >= minKeyRotation, "AUTH_KEY_ROTATION must be 0, or at least %v", minKeyRotation)
	must(c.SessionTTL >= c.AccessTTL, "AUTH_SESSION_TTL must not be less than AUTH_ACCESS_TTL")
	must(c.MaxSessions <= maxSessions, "AUTH_MAX_SESSIONS must be at most %d", maxSessions)
	must(c.ArgonMemory >= minMemory, "AUTH_ARGON_MEMORY_KIB must be at least %d", minMemory)
	must(c.ArgonTime >= minTime, "AUTH_ARGON_TIME must be at least %d", minTime)
	must(c.ArgonThreads >= 1, "AUTH_ARGON_THREADS must be at least 1")
	must(c.SweepEvery > 0, "AUTH_SWEEP_EVERY must be more than 0")
	must(c.SMTPURL != "" || c.CodeLog, "SMTP_URL is needed to mail verification codes; for development, AUTH_CODE_LOG=true writes them to the log instead")
	return errors.Join(errs...)
}

func (c Config) passwordOptions() passwordOptions {
	atOnce := c.HashAtOnce
	if atOnce <= 0 {
		atOnce = runtime.GOMAXPROCS(0)
	}
	return passwordOptions{
		params: params{Memory: c.ArgonMemory, Time: c.ArgonTime, Threads: c.ArgonThreads},
		atOnce: int64(atOnce),
		wait:   c.HashWait,
	}
}

func (c Config) keyOptions() keyOptions {
	return keyOptions{reload: c.KeyReload, rotation: c.KeyRotation, accessTTL: c.AccessTTL}
}

func (c Config) limitOptions() limitOptions {
	return limitOptions{
		codesPerMinute:      max(1, c.CodesPerMinute),
		codesPerHour:        max(1, c.CodesPerHour),
		addressCodesPerHour: max(1, c.AddressCodesPerHour),
		loginFailures:       max(1, c.LoginFailures),
		addressFailures:     max(1, c.AddressFailures),
		accountFailures:     max(1, c.AccountFailures),
	}
}
