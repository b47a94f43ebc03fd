package auth

import (
	"fmt"

	"github.com/wneessen/go-mail"
)

// write makes a letter a mail, as text and as HTML, in its language.
func (s *stationery) write(l Letter, from string) (*mail.Msg, error) {
	sheet, ok := s.sheets[sheetName{l.Language, l.Kind}]
	if !ok {
		return nil, fmt.Errorf("write mail: there is no letter %q in %q", l.Kind, l.Language)
	}
	written, err := sheet.fill(l.Code)
	if err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	msg := mail.NewMsg()
	if err := msg.From(from); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	if err := msg.To(l.To); err != nil {
		return nil, fmt.Errorf("write mail: recipient refused")
	}
	msg.Subject(written.subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetGenHeader(mail.HeaderPrecedence, "bulk")
	msg.SetGenHeader(mail.HeaderContentLang, l.Language)
	msg.SetBodyString(mail.TypeTextPlain, written.text)
	msg.AddAlternativeString(mail.TypeTextHTML, written.html)
	return msg, nil
}
