package embedded

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/emersion/go-smtp"
)

// SMTPSecurity says how connections to the sink are encrypted.
type SMTPSecurity int

// The securities, as SMTP_URL names them.
const (
	SMTPPlain    SMTPSecurity = iota // smtp://…?tls=none
	SMTPStartTLS                     // smtp://…
	SMTPTLS                          // smtps://…
)

const (
	smtpKeep       = 1000
	smtpMaxMessage = 1 << 20
	smtpTimeout    = 30 * time.Second
)

// SMTPConfig says how to run an SMTP sink. The zero value listens on a free
// port of loopback, without encryption, for everyone.
type SMTPConfig struct {
	Addr     string // host:port; empty is 127.0.0.1:0, and port 0 takes a free one
	Security SMTPSecurity
	// Username and Password are demanded before mail is taken, unless empty.
	Username, Password string
	Keep               int          // the most messages to keep; 0 is 1,000
	Log                *slog.Logger // nil logs nothing
}

// SMTP is a running SMTP server that delivers nothing and keeps the last
// messages, for tests and demonstrations.
type SMTP struct {
	cfg      SMTPConfig
	server   *smtp.Server
	listener net.Listener
	mails    *mailbox
	cert     []byte // PEM; nil without encryption
	served   chan error
}

// StartSMTP returns once the sink accepts connections.
func StartSMTP(ctx context.Context, cfg SMTPConfig) (*SMTP, error) {
	s := &SMTP{cfg: cfg, served: make(chan error, 1)}
	if s.cfg.Addr == "" {
		s.cfg.Addr = "127.0.0.1:0"
	}
	if s.cfg.Keep <= 0 {
		s.cfg.Keep = smtpKeep
	}
	if s.cfg.Log == nil {
		s.cfg.Log = slog.New(slog.DiscardHandler)
	}
	s.mails = newMailbox(s.cfg.Keep)
	s.server = newSMTPServer(s)
	if err := s.listen(ctx); err != nil {
		return nil, fmt.Errorf("start SMTP: %w", err)
	}
	go func() { s.served <- s.server.Serve(s.listener) }() // owned by s, ended by Stop
	return s, nil
}

func newSMTPServer(s *SMTP) *smtp.Server {
	srv := smtp.NewServer(smtp.BackendFunc(s.newSession))
	srv.Domain = "localhost"
	srv.MaxMessageBytes = smtpMaxMessage
	srv.MaxRecipients = 10
	srv.ReadTimeout = smtpTimeout
	srv.WriteTimeout = smtpTimeout
	srv.AllowInsecureAuth = s.cfg.Security == SMTPPlain
	srv.ErrorLog = slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug)
	return srv
}

// listen opens the port, with a fresh certificate if one is needed.
func (s *SMTP) listen(ctx context.Context) error {
	var tlsConfig *tls.Config
	if s.cfg.Security != SMTPPlain {
		cert, encoded, err := selfSigned()
		if err != nil {
			return err
		}
		s.cert = encoded
		tlsConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return err
	}
	switch s.cfg.Security {
	case SMTPTLS:
		listener = tls.NewListener(listener, tlsConfig)
	case SMTPStartTLS:
		s.server.TLSConfig = tlsConfig
	case SMTPPlain:
	}
	s.listener = listener
	return nil
}

// URL is where to send mail, in the form of SMTP_URL.
func (s *SMTP) URL() string {
	u := url.URL{Scheme: "smtp", Host: s.listener.Addr().String()}
	switch s.cfg.Security {
	case SMTPPlain:
		u.RawQuery = "tls=none"
	case SMTPTLS:
		u.Scheme = "smtps"
	case SMTPStartTLS:
	}
	if s.cfg.Username != "" {
		u.User = url.UserPassword(s.cfg.Username, s.cfg.Password)
	}
	return u.String()
}

// CertPEM is the sink's certificate, which nobody has signed but itself, or
// nil without encryption. A process trusts it that finds it in the file named
// by SSL_CERT_FILE.
func (s *SMTP) CertPEM() []byte { return s.cert }

// RootCAs trusts the sink's certificate and no other.
func (s *SMTP) RootCAs() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.cert)
	return pool
}

// Wait takes the oldest message to the address out of the sink, waiting for
// one until ctx ends. Each message is given once.
func (s *SMTP) Wait(ctx context.Context, to string) (Mail, error) {
	m, err := s.mails.take(ctx, to)
	if err != nil {
		return Mail{}, fmt.Errorf("wait for mail: %w", err)
	}
	return m, nil
}

// Mails returns the messages that nobody has waited for, oldest first.
func (s *SMTP) Mails() []Mail { return s.mails.all() }

// Stop closes the port and all connections.
func (s *SMTP) Stop() error {
	err := s.server.Close()
	_ = s.listener.Close() // Serve may not have told the server of it yet
	if err := errors.Join(err, <-s.served); err != nil {
		return fmt.Errorf("stop SMTP: %w", err)
	}
	return nil
}
