package auth

import (
	"errors"
	"net/mail"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/precis"
)

const (
	maxEmail = 254 // bytes; RFC 5321, 4.5.3.1.3, without the angle brackets
	maxLocal = 64  // bytes of the part before the @; RFC 5321, 4.5.3.1.1
)

// errEmail says that no mail can reach an address.
var errEmail = errors.New("not an e-mail address")

// domains maps the ways to write a domain to one, as browsers do (UTS 46).
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.VerifyDNSLength(true))

// canonicalEmail returns the one form of an e-mail address, however it is
// typed: the local part in lower case, NFC and without width variants (RFC 8265,
// UsernameCaseMapped), the domain as A-labels. Mail goes to this form, too, so
// that two addresses with one form are one also in the mailbox that they reach.
// It refuses what can get no mail.
func canonicalEmail(email string) (string, error) {
	email = strings.ReplaceAll(strings.TrimSpace(email), "＠", "@")
	at := strings.LastIndexByte(email, '@')
	if at < 1 || len(email) > 4*maxEmail {
		return "", errEmail
	}
	local, err := precis.UsernameCaseMapped.String(email[:at])
	if err != nil || len(local) > maxLocal {
		return "", errEmail
	}
	domain, err := domains.ToASCII(email[at+1:])
	if err != nil {
		return "", errEmail
	}
	// A name without a dot has no mail (RFC 7085), and the last label is no
	// number: that is an address of IPv4.
	top := domain[strings.LastIndexByte(domain, '.')+1:]
	if top == domain || strings.Trim(top, "0123456789") == "" || top == "invalid" {
		return "", errEmail
	}
	email = local + "@" + strings.ToLower(domain)
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Name != "" || parsed.Address != email || len(email) > maxEmail {
		return "", errEmail
	}
	return email, nil
}

// foldEmail is the form under which an account with that address is looked for.
func foldEmail(email string) string {
	if canonical, err := canonicalEmail(email); err == nil {
		return canonical
	}
	return strings.ToLower(strings.TrimSpace(email))
}

// shownEmail is an address as its owner writes it: with the letters of its
// domain instead of A-labels. It is empty for a user who has none.
func shownEmail(email string) string {
	local, domain, ok := strings.Cut(email, "@")
	if !ok {
		return ""
	}
	if !strings.Contains(domain, "xn--") {
		return email
	}
	if shown, err := domains.ToUnicode(domain); err == nil {
		domain = shown
	}
	return local + "@" + domain
}

// noEmail stands where a user has no address: nobody can choose it.
func noEmail(userID string) string { return "~" + userID }
