package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/wneessen/go-mail"

	"github.com/parley-im/parley/pkg/trust"
)

// newDelivery is how codes reach people: by mail, or for development by the
// log.
func newDelivery(cfg Config, log *slog.Logger) (func(context.Context, Letter) error, error) {
	if cfg.SMTPURL == "" {
		log.Warn("verification codes go to this log: for development only")
		return logCodes(log), nil
	}
	options, host, err := smtpOptions(cfg.SMTPURL, cfg.SMTPCAFile)
	if err != nil {
		return nil, err
	}
	paper, err := newStationery(cfg.MailTemplates)
	if err != nil {
		return nil, err
	}
	d := &smtpDelivery{host: host, options: options, from: cfg.MailFrom, paper: paper}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d.send, nil
}

// smtpDelivery hands mails to a mail server, each over a connection of its
// own.
type smtpDelivery struct {
	host    string
	options []mail.Option
	from    string
	paper   *stationery
}

// check finds at the start what would else fail with the first mail.
func (d *smtpDelivery) check() error {
	if _, err := mail.NewClient(d.host, d.options...); err != nil {
		return fmt.Errorf("set up mail: %w", err)
	}
	if err := mail.NewMsg().From(d.from); err != nil {
		return errors.New("AUTH_MAIL_FROM must be an address, or: Name <address>")
	}
	return nil
}

func (d *smtpDelivery) send(ctx context.Context, l Letter) error {
	msg, err := d.paper.write(l, d.from)
	if err != nil {
		return err
	}
	client, err := mail.NewClient(d.host, d.options...)
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("send mail: %w", anonymous(err))
	}
	return nil
}

// anonymous keeps of a server's answer only what names nobody: its text often
// repeats the recipient.
func anonymous(err error) error {
	var refused *mail.SendError
	if !errors.As(err, &refused) {
		return err // of connecting, TLS or login
	}
	return fmt.Errorf("refused at %s with status %d", refused.Reason, refused.ErrorCode())
}

// smtpOptions reads SMTP_URL. Without ?tls=none, which is for loopback only,
// nothing is sent before the server has shown a certificate for its name.
func smtpOptions(raw, caFile string) (options []mail.Option, host string, err error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return nil, "", errors.New("SMTP_URL must be smtps://user:password@host:465 or smtp://user:password@host:587") // its text has the password
	}
	host = u.Hostname()
	roots, err := trust.Roots(caFile)
	if err != nil {
		return nil, "", fmt.Errorf("AUTH_SMTP_CA_FILE: %w", err)
	}
	options = []mail.Option{
		mail.WithTimeout(deliverWait),
		mail.WithTLSConfig(&tls.Config{ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12}),
	}
	port := 587
	switch mode := u.Query().Get("tls"); {
	case u.Scheme == "smtps" && mode == "":
		port = 465
		options = append(options, mail.WithSSL())
	case u.Scheme == "smtp" && mode == "":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case u.Scheme == "smtp" && mode == "none" && isLoopback(host):
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	case u.Scheme == "smtp" && mode == "none":
		return nil, "", errors.New("SMTP_URL has tls=none, which is for a loopback host only")
	default:
		return nil, "", errors.New("SMTP_URL must begin with smtps:// or smtp://, with no other tls than none")
	}
	if text := u.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil {
			return nil, "", errors.New("SMTP_URL has a port that is no number")
		}
	}
	options = append(options, mail.WithPort(port))
	if u.User != nil {
		password, _ := u.User.Password()
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	return options, host, nil
}

func isLoopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	return host == "localhost"
}
