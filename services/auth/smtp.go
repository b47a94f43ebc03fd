package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"

	"github.com/parley-im/parley/pkg/trust"
)

// newDelivery is how codes reach people: by mail, or for development by the
// log. An address is known not to be reached once a mail to one of its kind was
// refused.
func newDelivery(cfg Config, log *slog.Logger) (deliver func(context.Context, Letter) error, reaches func(email string) bool, err error) {
	if cfg.SMTPURL == "" {
		log.Warn("verification codes go to this log: for development only")
		return logCodes(log), func(string) bool { return true }, nil
	}
	options, host, err := smtpOptions(cfg.SMTPURL, cfg.SMTPCAFile)
	if err != nil {
		return nil, nil, err
	}
	paper, err := newStationery(cfg.MailTemplates)
	if err != nil {
		return nil, nil, err
	}
	d := &smtpDelivery{host: host, options: options, from: cfg.MailFrom, paper: paper}
	if err := d.check(); err != nil {
		return nil, nil, err
	}
	return d.send, d.reaches, nil
}

// smtpDelivery hands mails to a mail server, each over a connection of its
// own.
type smtpDelivery struct {
	host    string
	options []mail.Option
	from    string
	paper   *stationery
	// asciiUntil is until when the server is taken to lack SMTPUTF8, as it did
	// when a mail needed it; in Unix seconds.
	asciiUntil atomic.Int64
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

// send hands one mail to the server. The error is errFinal when no new attempt
// would be of use.
func (d *smtpDelivery) send(ctx context.Context, l Letter) error {
	msg, err := d.paper.write(l, d.from)
	if err != nil {
		return fmt.Errorf("%w: %w", errFinal, err)
	}
	international := !isASCII(l.To)
	options := slices.Clip(d.options)
	if !international {
		options = append(options, mail.WithoutSMTPUTF8()) // another server on the way may lack it
	}
	client, err := mail.NewClient(d.host, options...)
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("send mail: connect: %w", anonymous(err))
	}
	defer client.CloseWithSMTPClient(conn) //nolint:errcheck // the mail was taken, or was not
	if international {
		able, _ := conn.Extension("SMTPUTF8")
		if !able {
			d.asciiUntil.Store(time.Now().Add(asciiFor).Unix())
			return fmt.Errorf("send mail: %w: %w", errFinal, errASCIIOnly)
		}
	}
	if err := client.SendWithSMTPClient(conn, msg); err != nil {
		return fmt.Errorf("send mail: %w", anonymous(err))
	}
	return nil
}

// asciiFor is how long a server that lacks SMTPUTF8 is believed to.
const asciiFor = time.Hour

// reaches asks nobody.
func (d *smtpDelivery) reaches(email string) bool {
	return isASCII(email) || time.Now().Unix() >= d.asciiUntil.Load()
}

// errASCIIOnly says that a mail server takes no address whose part before the @
// is not ASCII.
var errASCIIOnly = errors.New("the mail server lacks SMTPUTF8, and the address needs it")

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// anonymous keeps of a server's answer only what names nobody: its text often
// repeats the recipient. A refusal of a mail with a status of 5xx is errFinal
// (RFC 5321, 4.2.1).
func anonymous(err error) error {
	var refused *mail.SendError
	if !errors.As(err, &refused) {
		return err // of connecting, TLS or login
	}
	if status := refused.ErrorCode(); status >= 500 {
		return fmt.Errorf("%w at %s with status %d", errFinal, refused.Reason, status)
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
