package embedded

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wneessen/go-mail"
)

func TestSMTP_Send(t *testing.T) {
	cases := []struct {
		name   string
		cfg    SMTPConfig
		prefix string
		suffix string
	}{
		{"plain", SMTPConfig{}, "smtp://127.0.0.1:", "?tls=none"},
		{"plain with login", SMTPConfig{Username: "u", Password: "p"}, "smtp://u:p@127.0.0.1:", "?tls=none"},
		{"starttls", SMTPConfig{Security: SMTPStartTLS, Username: "u", Password: "p"}, "smtp://u:p@127.0.0.1:", ""},
		{"tls", SMTPConfig{Security: SMTPTLS}, "smtps://127.0.0.1:", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sink := startSMTP(t, c.cfg)
			if u := sink.URL(); !strings.HasPrefix(u, c.prefix) || !strings.HasSuffix(u, c.suffix) {
				t.Errorf("URL is %s", u)
			}
			if err := send(t, sink, c.cfg, "Ann@example.org", "Grüße 你好"); err != nil {
				t.Fatal(err)
			}
			m, err := sink.Wait(within(t, 10*time.Second), "ann@example.org")
			if err != nil {
				t.Fatal(err)
			}
			if m.Subject != "Grüße 你好" || strings.TrimSpace(m.Text) != "text ✓" || strings.TrimSpace(m.HTML) != "<p>html ✓</p>" {
				t.Errorf("subject %q, text %q, html %q", m.Subject, m.Text, m.HTML)
			}
			if m.From != "parley@example.org" || len(m.To) != 1 || m.TLS != (c.cfg.Security != SMTPPlain) {
				t.Errorf("from %s to %v, encrypted %v", m.From, m.To, m.TLS)
			}
		})
	}
}

func TestSMTP_Refuses(t *testing.T) {
	t.Run("wrong password", func(t *testing.T) {
		sink := startSMTP(t, SMTPConfig{Username: "u", Password: "p"})
		if err := send(t, sink, SMTPConfig{Username: "u", Password: "wrong"}, "ann@example.org", "x"); err == nil {
			t.Error("mail was taken")
		}
	})
	t.Run("no login", func(t *testing.T) {
		sink := startSMTP(t, SMTPConfig{Username: "u", Password: "p"})
		if err := send(t, sink, SMTPConfig{}, "ann@example.org", "x"); err == nil {
			t.Error("mail was taken")
		}
	})
	t.Run("client that does not trust the certificate", func(t *testing.T) {
		sink, other := startSMTP(t, SMTPConfig{Security: SMTPTLS}), startSMTP(t, SMTPConfig{Security: SMTPTLS})
		sink.cert = other.cert
		if err := send(t, sink, sink.cfg, "ann@example.org", "x"); err == nil {
			t.Error("mail was sent")
		}
	})
}

func TestSMTP_Wait(t *testing.T) {
	sink := startSMTP(t, SMTPConfig{Keep: 2})
	t.Run("until mail comes", func(t *testing.T) {
		got := make(chan error, 1)
		ctx := within(t, 10*time.Second)
		go func() { // ends when mail comes, or with ctx
			_, err := sink.Wait(ctx, "late@example.org")
			got <- err
		}()
		if err := send(t, sink, SMTPConfig{}, "late@example.org", "x"); err != nil {
			t.Fatal(err)
		}
		if err := <-got; err != nil {
			t.Error(err)
		}
	})
	t.Run("no longer than the context", func(t *testing.T) {
		if _, err := sink.Wait(within(t, 10*time.Millisecond), "nobody@example.org"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
	t.Run("gives each once, oldest first, and keeps the last", func(t *testing.T) {
		for _, subject := range []string{"1", "2", "3"} {
			if err := send(t, sink, SMTPConfig{}, "ann@example.org", subject); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []string{"2", "3"} {
			m, err := sink.Wait(within(t, 10*time.Second), "ann@example.org")
			if err != nil || m.Subject != want {
				t.Errorf("got %q, %v, want %s", m.Subject, err, want)
			}
		}
		if left := sink.Mails(); len(left) != 0 {
			t.Errorf("%d are left", len(left))
		}
	})
}

func startSMTP(t *testing.T, cfg SMTPConfig) *SMTP {
	t.Helper()
	sink, err := StartSMTP(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sink.Stop(); err != nil {
			t.Error(err)
		}
	})
	return sink
}

// send gives the sink a message in two parts, with the login of cfg.
func send(t *testing.T, sink *SMTP, cfg SMTPConfig, to, subject string) error {
	t.Helper()
	msg := mail.NewMsg()
	if err := errors.Join(msg.From("parley@example.org"), msg.To(to)); err != nil {
		t.Fatal(err)
	}
	msg.Subject(subject)
	msg.SetBodyString(mail.TypeTextPlain, "text ✓")
	msg.AddAlternativeString(mail.TypeTextHTML, "<p>html ✓</p>")
	client, err := mail.NewClient("127.0.0.1", clientOptions(t, sink, cfg)...)
	if err != nil {
		t.Fatal(err)
	}
	return client.DialAndSendWithContext(t.Context(), msg)
}

func clientOptions(t *testing.T, sink *SMTP, cfg SMTPConfig) []mail.Option {
	t.Helper()
	u, err := url.Parse(sink.URL())
	if err != nil {
		t.Fatal(err)
	}
	_, text, err := net.SplitHostPort(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	opts := []mail.Option{mail.WithPort(port), mail.WithTLSConfig(&tls.Config{
		ServerName: "127.0.0.1", RootCAs: sink.RootCAs(), MinVersion: tls.VersionTLS12,
	})}
	switch sink.cfg.Security {
	case SMTPPlain:
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	case SMTPStartTLS:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	case SMTPTLS:
		opts = append(opts, mail.WithSSL())
	}
	if cfg.Username != "" {
		auth := mail.SMTPAuthPlain
		if sink.cfg.Security == SMTPPlain {
			auth = mail.SMTPAuthPlainNoEnc
		}
		opts = append(opts, mail.WithSMTPAuth(auth), mail.WithUsername(cfg.Username), mail.WithPassword(cfg.Password))
	}
	return opts
}
