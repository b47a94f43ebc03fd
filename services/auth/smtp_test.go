package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/auth"
)

// sink is a mail server that keeps what it gets.
type sink struct {
	server *smtp.Server
	addr   string

	mu      sync.Mutex
	mails   []letter
	refuse  int             // so many mails are refused, for now
	refused int             // were
	never   string          // recipients that begin so are refused for good
	notNow  string          // and those that begin so for now
	tries   map[string]int  // by recipient
	utf8    map[string]bool // SMTPUTF8 was asked for, by recipient
	plain   bool            // some mail came without TLS
}

// letter is a mail in its parts.
type letter struct{ to, subject, language, text, html string }

// newSink starts a server: with implicit TLS, or else with STARTTLS if it has
// a certificate.
func newSink(t *testing.T, cert *tls.Certificate, implicit bool) *sink {
	t.Helper()
	s := &sink{}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &sinkSession{sink: s, conn: c}, nil
	}))
	s.server.ErrorLog = silent{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	if cert != nil {
		s.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*cert}}
	}
	if implicit {
		l = tls.NewListener(l, s.server.TLSConfig)
	}
	done := make(chan struct{})
	go func() { _ = s.server.Serve(l); close(done) }() // ends with Close
	t.Cleanup(func() { _ = s.server.Close(); <-done })
	return s
}

func (s *sink) received() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]letter(nil), s.mails...)
}

// next waits for mail number n, from 1.
func (s *sink) next(t *testing.T, n int) letter {
	t.Helper()
	eventually(t, func() bool { return len(s.received()) >= n })
	return s.received()[n-1]
}

// silent is the server's log: it reports each handshake that fails, as is
// wanted here.
type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

type sinkSession struct {
	sink *sink
	conn *smtp.Conn
	to   string
	utf8 bool
}

func (s *sinkSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *sinkSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "parley" || password != "p@ss" {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *sinkSession) Reset()        {}
func (s *sinkSession) Logout() error { return nil }

func (s *sinkSession) Mail(_ string, o *smtp.MailOptions) error {
	s.utf8 = o.UTF8
	return nil
}

func (s *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	if s.sink.tries == nil {
		s.sink.tries, s.sink.utf8 = map[string]int{}, map[string]bool{}
	}
	s.sink.tries[to]++
	s.sink.utf8[to] = s.utf8
	switch {
	case s.sink.never != "" && strings.HasPrefix(to, s.sink.never):
		return &smtp.SMTPError{Code: 550, Message: "no such user, " + to}
	case s.sink.notNow != "" && strings.HasPrefix(to, s.sink.notNow):
		return &smtp.SMTPError{Code: 450, Message: "greylisted, " + to}
	}
	if s.sink.refused < s.sink.refuse {
		s.sink.refused++
		return &smtp.SMTPError{Code: 451, Message: "not now, " + to}
	}
	s.to = to
	return nil
}

func (s *sinkSession) Data(r io.Reader) error {
	l, err := parse(r)
	if err != nil {
		return err
	}
	l.to = s.to
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	if _, ok := s.conn.TLSConnectionState(); !ok {
		if _, implicit := s.conn.Conn().(*tls.Conn); !implicit {
			s.sink.plain = true
		}
	}
	s.sink.mails = append(s.sink.mails, l)
	return nil
}

// parse takes a mail apart.
func parse(r io.Reader) (letter, error) {
	msg, err := mail.ReadMessage(r)
	if err != nil {
		return letter{}, err
	}
	var l letter
	if l.subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		return letter{}, err
	}
	l.language = msg.Header.Get("Content-Language")
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		return letter{}, err
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return l, nil
		}
		if err != nil {
			return letter{}, err
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return letter{}, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			l.html = string(body)
		} else {
			l.text = string(body)
		}
	}
}

// newCert makes a certificate for the name, signed by itself, and a file with
// it.
func newCert(t *testing.T, ip net.IP) (*tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sink"}, IPAddresses: []net.IP{ip},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

var loopback = net.IPv4(127, 0, 0, 1)

// sixDigits is how clients' tests find the code.
var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// TestMail_is_sent_over_verified_TLS also shows what the mails say.
func TestMail_is_sent_over_verified_TLS(t *testing.T) {
	cert, ca := newCert(t, loopback)
	for name, c := range map[string]struct {
		url      string
		implicit bool
	}{
		"STARTTLS":     {"smtp://parley:p%%40ss@%s", false},
		"implicit TLS": {"smtps://parley:p%%40ss@%s", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t, cert, c.implicit)
			w := newWorld(t, func(cfg *auth.Config) {
				cfg.SMTPURL, cfg.SMTPCAFile, cfg.CodeLog = fmt.Sprintf(c.url, s.addr), ca, false
			})
			w.start()
			must(w, contract.SendCode, contract.SendCodeRequest{Email: "Ann@example.org", Purpose: contract.PurposeRegister})
			got := s.next(t, 1)
			codes := sixDigits.FindAllString(got.text, -1)
			if got.to != "ann@example.org" || len(codes) != 1 || !strings.Contains(got.html, codes[0]) || strings.Contains(got.subject, codes[0]) {
				t.Fatalf("got %+v", got)
			}
			must(w, contract.Register, contract.RegisterRequest{Email: "ann@example.org", Code: codes[0], Account: "ann", Password: password})
			w.pass(time.Minute)
			must(w, contract.SendCode, contract.SendCodeRequest{Email: "ann@example.org", Purpose: contract.PurposeRegister})
			if known := s.next(t, 2); sixDigits.MatchString(known.text) || !strings.Contains(known.text, "account") {
				t.Fatalf("a known e-mail gets %+v", known)
			}
			// Nothing is mailed for an unknown e-mail: what comes next is the one after.
			must(w, contract.SendCode, contract.SendCodeRequest{Email: "bob@example.org", Purpose: contract.PurposeResetPassword})
			w.pass(time.Minute)
			must(w, contract.SendCode, contract.SendCodeRequest{Email: "ann@example.org", Purpose: contract.PurposeResetPassword})
			if reset := s.next(t, 3); reset.to != "ann@example.org" || !sixDigits.MatchString(reset.text) {
				t.Fatalf("got %+v", reset)
			}
			if s.plain || len(s.received()) != 3 {
				t.Fatalf("without TLS: %v; %d mails", s.plain, len(s.received()))
			}
		})
	}
}

// TestMail_waits_rather_than_trust: without a certificate that holds, nothing
// is sent at all.
func TestMail_waits_rather_than_trust(t *testing.T) {
	cert, ca := newCert(t, loopback)
	wrong, wrongCA := newCert(t, net.IPv4(192, 0, 2, 1)) // another host's
	for name, c := range map[string]struct {
		cert     *tls.Certificate
		implicit bool
		scheme   string
		ca       string
	}{
		"STARTTLS of an unknown signer":     {cert, false, "smtp", ""},
		"implicit TLS of an unknown signer": {cert, true, "smtps", ""},
		"STARTTLS of another host":          {wrong, false, "smtp", wrongCA},
		"a server without STARTTLS":         {nil, false, "smtp", ca},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t, c.cert, c.implicit)
			w := newWorld(t, func(cfg *auth.Config) {
				cfg.SMTPURL, cfg.SMTPCAFile, cfg.CodeLog = c.scheme+"://"+s.addr, c.ca, false
			})
			w.start()
			must(w, contract.SendCode, contract.SendCodeRequest{Email: "ann@example.org", Purpose: contract.PurposeRegister})
			eventually(t, func() bool { return strings.Contains(w.log.String(), "mail not sent yet") })
			if got := s.received(); len(got) > 0 {
				t.Fatalf("it sent %d mails", len(got))
			}
		})
	}
}

// TestMail_is_tried_again, and its recipient is not logged.
func TestMail_is_tried_again(t *testing.T) {
	s := newSink(t, nil, false)
	s.refuse = 1
	w := newWorld(t, func(cfg *auth.Config) { cfg.SMTPURL, cfg.CodeLog = "smtp://"+s.addr+"?tls=none", false })
	w.start()
	must(w, contract.SendCode, contract.SendCodeRequest{Email: "ann@example.org", Purpose: contract.PurposeRegister})
	s.next(t, 1)
	if logged := w.log.String(); strings.Contains(logged, "ann@") || !strings.Contains(logged, "mail not sent yet") {
		t.Fatalf("logged %s", logged)
	}
}

func (s *sink) triesOf(to string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries[to]
}

// TestMail_refused_recipients_keep_no_other_waiting: more of them than there are
// senders, each with 6 attempts to come.
func TestMail_refused_recipients_keep_no_other_waiting(t *testing.T) {
	s := newSink(t, nil, false)
	s.notNow = "grey"
	w := newWorld(t, mailing(s, ""))
	w.start()
	for i := range 8 {
		to := fmt.Sprintf("grey%d@example.org", i)
		must(w, contract.SendCode, contract.SendCodeRequest{Email: to, Purpose: contract.PurposeRegister})
	}
	eventually(t, func() bool { return s.triesOf("grey0@example.org") > 1 }) // it is tried again
	must(w, contract.SendCode, contract.SendCodeRequest{Email: "ann@example.org", Purpose: contract.PurposeRegister})
	s.next(t, 1)
	if n := s.triesOf("grey7@example.org"); n > 3 {
		t.Fatalf("the mail came when others were given up, after %d tries", n)
	}
}

// TestMail_refused_for_good is not tried again.
func TestMail_refused_for_good(t *testing.T) {
	s := newSink(t, nil, false)
	s.never = "none"
	w := newWorld(t, mailing(s, ""))
	w.start()
	must(w, contract.SendCode, contract.SendCodeRequest{Email: "none@example.org", Purpose: contract.PurposeRegister})
	eventually(t, func() bool { return strings.Contains(w.log.String(), "mail not sent") })
	logged := w.log.String()
	if s.triesOf("none@example.org") != 1 || strings.Contains(logged, "none@") || strings.Contains(logged, "mail not sent yet") || !strings.Contains(logged, "550") {
		t.Fatalf("after %d tries it logged %s", s.triesOf("none@example.org"), logged)
	}
}

// TestMail_at_the_end: a mail that waits for its next attempt gets it when the
// service stops.
func TestMail_at_the_end(t *testing.T) {
	s := newSink(t, nil, false)
	s.refuse = 2 // the next pause has 5 seconds, and stopping takes no more
	w := newWorld(t, mailing(s, ""))
	stop := w.start()
	must(w, contract.SendCode, contract.SendCodeRequest{Email: "ann@example.org", Purpose: contract.PurposeRegister})
	eventually(t, func() bool { return strings.Count(w.log.String(), "mail not sent yet") == 2 })
	stop()
	if n := len(s.received()); n != 1 {
		t.Fatalf("%d mails were sent", n)
	}
}

// TestRun_refuses settings that can't be meant.
func TestRun_refuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit func(*auth.Config)
		want string
	}{
		"no way to send codes":         {func(c *auth.Config) { c.CodeLog = false }, "SMTP_URL"},
		"a short secret":               {func(c *auth.Config) { c.KeySecret = "short" }, "AUTH_KEY_SECRET"},
		"too little memory for argon2": {func(c *auth.Config) { c.ArgonMemory = 1024 }, "AUTH_ARGON_MEMORY_KIB"},
		"too few passes of argon2":     {func(c *auth.Config) { c.ArgonTime = 1 }, "AUTH_ARGON_TIME"},
		"mail in clear to elsewhere":   {func(c *auth.Config) { c.SMTPURL = "smtp://mail.example.org?tls=none" }, "loopback"},
		"another scheme for mail":      {func(c *auth.Config) { c.SMTPURL = "http://mail.example.org" }, "SMTP_URL"},
		"an unknown tls for mail":      {func(c *auth.Config) { c.SMTPURL = "smtp://mail.example.org?tls=maybe" }, "SMTP_URL"},
		"a CA file that is none":       {func(c *auth.Config) { c.SMTPURL, c.SMTPCAFile = "smtps://localhost", empty }, "AUTH_SMTP_CA_FILE"},
		"a sender that is none":        {func(c *auth.Config) { c.SMTPURL, c.MailFrom = "smtps://localhost", "Parley" }, "AUTH_MAIL_FROM"},
		"a Redis that is none":         {func(c *auth.Config) { c.RedisURL = "http://:secret@localhost" }, "REDIS_URL"},
		"a Redis without TLS":          {func(c *auth.Config) { c.RedisCAFile = empty }, "REDIS_URL does not begin with rediss"},
		"a CA for Redis that is none":  {func(c *auth.Config) { c.RedisURL, c.RedisCAFile = "rediss://localhost", empty }, "REDIS_CA_FILE"},
		"a store that is none":         {func(c *auth.Config) { c.Store = "file:x" }, "auth store"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.edit)
			err := auth.Run(t.Context(), w.cfg, auth.Deps{Telemetry: telemetry.Discard(contract.Auth)})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret@") {
				t.Fatalf("got %v", err)
			}
		})
	}
}
