package auth_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/auth"
)

// mailing has codes mailed to the sink, on an operator's templates if there are
// any.
func mailing(s *sink, templates string) func(*auth.Config) {
	return func(c *auth.Config) {
		c.SMTPURL, c.CodeLog, c.MailTemplates = "smtp://"+s.addr+"?tls=none", false, templates
	}
}

// templates writes an operator's files into a directory.
func templates(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestMail_by_language: each kind of letter in each language.
func TestMail_by_language(t *testing.T) {
	s := newSink(t, nil, false)
	w := newWorld(t, mailing(s, ""), func(c *auth.Config) { c.CodesPerMinute, c.CodesPerHour = 100, 100 })
	w.start()
	n := 0
	send := func(email string, purpose contract.Purpose, language string) letter {
		t.Helper()
		must(w, contract.SendCode, contract.SendCodeRequest{Email: email, Purpose: purpose, Language: language})
		n++
		return s.next(t, n)
	}
	code := sixDigits.FindString(send("ann@example.org", contract.PurposeRegister, "").text)
	must(w, contract.Register, contract.RegisterRequest{Email: "ann@example.org", Code: code, Account: "ann", Password: password})
	for _, c := range []struct {
		email          string
		purpose        contract.Purpose
		language       string
		subject, words string
		code           bool
	}{
		{"bob@example.org", contract.PurposeRegister, "", "Your Parley verification code", "It is good for 10 minutes", true},
		{"bob@example.org", contract.PurposeRegister, "en", "Your Parley verification code", "It is good for 10 minutes", true},
		{"ann@example.org", contract.PurposeRegister, "en", "You already have a Parley account", "nothing has changed", false},
		{"ann@example.org", contract.PurposeResetPassword, "en", "Reset your Parley password", "your password stays", true},
		{"bob@example.org", contract.PurposeRegister, "zh", "你的 Parley 验证码", "在 10 分钟内有效", true},
		{"ann@example.org", contract.PurposeRegister, "zh", "你已经有 Parley 账号", "什么都没有改变", false},
		{"ann@example.org", contract.PurposeResetPassword, "zh", "重置你的 Parley 密码", "你的密码不会改变", true},
	} {
		got := send(c.email, c.purpose, c.language)
		want := c.language
		if want == "" {
			want = "en"
		}
		if got.to != c.email || got.subject != c.subject || got.language != want || !strings.Contains(got.text, c.words) || !strings.Contains(got.html, c.words) {
			t.Errorf("%s in %q: got %+v", c.purpose, c.language, got)
		}
		if sixDigits.MatchString(got.text) != c.code || strings.Contains(got.text, "Subject:") || strings.Contains(got.text+got.html, "{{") {
			t.Errorf("%s in %q: got %+v", c.purpose, c.language, got)
		}
	}
	fails(w, contract.SendCode, contract.SendCodeRequest{Email: "ann@example.org", Purpose: contract.PurposeRegister, Language: "../en"}, fault.InvalidArgument, "language")
}

// TestMail_on_own_templates: those that there are, and the built-in ones beside
// them; what is written into HTML is escaped.
func TestMail_on_own_templates(t *testing.T) {
	s := newSink(t, nil, false)
	dir := templates(t, map[string]string{
		"..data/zh/register.txt": "Subject: 山海科技\r\n\r\n{{.Code}}，{{.Minutes}} 分钟\r\n",
		"en/reset_password.html": "<b>{{.Code}}</b> {{\"<&>\"}}",
		".hidden":                "",
	})
	if err := os.Symlink(filepath.Join("..data", "zh"), filepath.Join(dir, "zh")); err != nil { // as a volume of Kubernetes has it
		t.Fatal(err)
	}
	w := newWorld(t, mailing(s, dir), func(c *auth.Config) { c.CodesPerMinute = 10 })
	w.start()
	must(w, contract.SendCode, contract.SendCodeRequest{Email: "ann@example.org", Purpose: contract.PurposeRegister, Language: "zh"})
	got := s.next(t, 1)
	code := sixDigits.FindString(got.text)
	if got.subject != "山海科技" || strings.TrimSpace(got.text) != code+"，10 分钟" || !strings.Contains(got.html, "只能使用一次") {
		t.Fatalf("got %+v", got)
	}
	must(w, contract.Register, contract.RegisterRequest{Email: "ann@example.org", Code: code, Account: "ann", Password: password})
	must(w, contract.SendCode, contract.SendCodeRequest{Email: "ann@example.org", Purpose: contract.PurposeResetPassword, Language: "en"})
	got = s.next(t, 2)
	if got.subject != "Reset your Parley password" || strings.TrimSpace(got.html) != "<b>"+sixDigits.FindString(got.text)+"</b> &lt;&amp;&gt;" {
		t.Fatalf("got %+v", got)
	}
}

// TestMail_refuses_templates at the start, and names what is wrong.
func TestMail_refuses_templates(t *testing.T) {
	const good = "Subject: x\n\n{{.Code}}\n"
	for name, c := range map[string]struct {
		file, content, want string
	}{
		"a file beside them":       {"README", good, "README is no template"},
		"a misspelt kind":          {"en/registre.txt", good, "en/registre.txt is no template"},
		"an unknown language":      {"de/register.txt", good, "de is no template"},
		"no subject":               {"en/register.txt", "{{.Code}}\n", "en/register.txt must begin with a line: Subject: …"},
		"an empty subject":         {"en/register.txt", "Subject: \n{{.Code}}\n", "en/register.txt must begin with a line: Subject: …"},
		"the code in the subject":  {"en/register.txt", "Subject: {{.Code}}\n\n{{.Code}}", "has the code in its subject"},
		"no code in the text":      {"zh/reset_password.txt", "Subject: x\n\nhello\n", "zh/reset_password.txt does not show {{.Code}}"},
		"no code in the HTML":      {"zh/reset_password.html", "<b>hello</b>", "zh/reset_password.html does not show {{.Code}}"},
		"what does not parse":      {"en/known.html", "{{.Code", "en/known.html"},
		"a field that there isn't": {"en/known.txt", "Subject: x\n\n{{.Email}}", "Email"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, mailing(newSink(t, nil, false), templates(t, map[string]string{c.file: c.content})))
			err := auth.Run(t.Context(), w.cfg, auth.Deps{Telemetry: telemetry.Discard(contract.Auth)})
			if err == nil || !strings.Contains(err.Error(), "AUTH_MAIL_TEMPLATES") || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
	w := newWorld(t, mailing(newSink(t, nil, false), filepath.Join(t.TempDir(), "none")))
	if err := auth.Run(t.Context(), w.cfg, auth.Deps{Telemetry: telemetry.Discard(contract.Auth)}); err == nil || !strings.Contains(err.Error(), "AUTH_MAIL_TEMPLATES") {
		t.Fatalf("a directory that is not there: %v", err)
	}
}
