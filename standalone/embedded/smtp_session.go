package embedded

import (
	"crypto/subtle"
	"fmt"
	"io"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// smtpSession is one connection to the sink.
type smtpSession struct {
	sink *SMTP
	conn *smtp.Conn

	loggedIn bool
	from     string
	to       []string
}

func (s *SMTP) newSession(conn *smtp.Conn) (smtp.Session, error) {
	return &smtpSession{sink: s, conn: conn, loggedIn: s.cfg.Username == ""}, nil
}

// AuthMechanisms offers a login only where one is demanded.
func (s *smtpSession) AuthMechanisms() []string {
	if s.sink.cfg.Username == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth checks the one user of the sink.
func (s *smtpSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		cfg := s.sink.cfg
		right := subtle.ConstantTimeCompare([]byte(username), []byte(cfg.Username)) &
			subtle.ConstantTimeCompare([]byte(password), []byte(cfg.Password))
		if right != 1 {
			return smtp.ErrAuthFailed
		}
		s.loggedIn = true
		return nil
	}), nil
}

// Mail begins a message.
func (s *smtpSession) Mail(from string, _ *smtp.MailOptions) error {
	if !s.loggedIn {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

// Rcpt adds a recipient.
func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

// Data takes the message; the server has limited its size.
func (s *smtpSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("take mail: %w", err)
	}
	m, err := readMail(raw)
	if err != nil {
		return err
	}
	m.From, m.To = s.from, s.to
	_, m.TLS = s.conn.TLSConnectionState()
	s.sink.mails.put(m)
	return nil
}

// Reset forgets the message begun.
func (s *smtpSession) Reset() { s.from, s.to = "", nil }

// Logout ends the session.
func (s *smtpSession) Logout() error { return nil }
