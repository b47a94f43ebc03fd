package auth_test

import (
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// Any composition will do, of any length up to 128 characters, and a password
// counts exactly as it was typed, in whichever Unicode form the keyboard sends:
// see TestPassword_in_any_Unicode_form.
func TestPassword_counts_as_it_was_typed(t *testing.T) {
	w := newWorld(t)
	w.start()
	for account, c := range map[string]struct{ password, almost string }{
		"digits": {"8301947265", "830194726"},
		"small":  {"quietly blooming heather", "Quietly blooming heather"},
		"spaces": {"  between two chairs ", "between two chairs"},
		"signs":  {"~!@#$%^&*()_+", "~!@#$%^&*()_"},
		"han":    {"春眠不觉晓处处闻啼鸟", "春眠不觉晓处处闻啼"},
		"accent": {"Zwölf Boxkämpfer", "Zwolf Boxkampfer"},
		"long":   {strings.Repeat("0f8Q", 31) + "tail", strings.Repeat("0f8Q", 31) + "tale"},
	} {
		email := account + "@example.org"
		req := signUp(account, w.code(email, contract.PurposeRegister))
		req.Password = c.password
		must(w, contract.Register, req)
		must(w, contract.Login, contract.LoginRequest{Account: account, Password: c.password})
		fails(w, contract.Login, contract.LoginRequest{Account: account, Password: c.almost}, fault.Unauthenticated, "")
	}
}
