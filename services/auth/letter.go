package auth

import (
	"embed"
	"fmt"
	html "html/template"
	text "text/template"

	"github.com/wneessen/go-mail"

	"github.com/parley-im/parley/pkg/contract"
)

//go:embed templates
var templates embed.FS

// Parsed once; they are part of the program, so that they do parse.
var (
	textLetters = text.Must(text.ParseFS(templates, "templates/*.txt"))
	htmlLetters = html.Must(html.ParseFS(templates, "templates/*.html"))
)

// subjects of the letters, by kind. The code is not among them: subjects show
// on locked screens.
var subjects = map[string]string{
	string(contract.PurposeRegister):      "Your Parley verification code",
	string(contract.PurposeResetPassword): "Reset your Parley password",
	letterKnown:                           "You already have a Parley account",
}

// write makes a letter a mail, as text and as HTML.
func write(l Letter, from string) (*mail.Msg, error) {
	subject, ok := subjects[l.Kind]
	if !ok {
		return nil, fmt.Errorf("write mail: there is no letter %q", l.Kind)
	}
	msg := mail.NewMsg()
	if err := msg.From(from); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	if err := msg.To(l.To); err != nil {
		return nil, fmt.Errorf("write mail: recipient refused")
	}
	msg.Subject(subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetGenHeader(mail.HeaderPrecedence, "bulk")
	data := map[string]any{"Code": l.Code, "Minutes": int(codeTTL.Minutes())}
	if err := msg.SetBodyTextTemplate(textLetters.Lookup(l.Kind+".txt"), data); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	if err := msg.AddAlternativeHTMLTemplate(htmlLetters.Lookup(l.Kind+".html"), data); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	return msg, nil
}
