// Package limitsdoc writes docs/limits.md: what is bounded, for whom, how
// much, by which setting. Its rows stand in rows.go; the figures come from the
// Config structs and from pkg/contract.
package limitsdoc

//go:generate go test . -run TestDoc_is_current -update

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/services/auth"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/gateway"
	"github.com/parley-im/parley/services/social"
)

// row is one limit.
type row struct {
	what     string   // is bounded
	whom     string   // it is counted for
	most     string   // with {} for each setting's default, in order
	settings []string // none: it is part of the wire contract, or fixed
	answer   string   // to who wants more
	test     string   // which hits it
}

// section is a table of rows.
type section struct {
	title string
	text  string
	rows  []row
}

const intro = `# Limits

<!-- Generated from code by "make generate"; do not edit. -->

Whatever costs something is bounded, and who meets a bound is told so. Over HTTP *429* is the status, with the code ` + "`resource_exhausted`" + ` and, in
` + "`Retry-After`" + `, the seconds after which the same call may succeed; over WebSocket it is an error with the same code and ` + "`retry_after_ms`" + `. *4429* is a close
code. What can't be counted because Redis is away: [guarantees.md](guarantees.md#when-something-is-away).

An *address* is the client's IPv4 address or its IPv6 network of 64 bits, as seen behind ` + "`GATEWAY_TRUSTED_PROXIES`" + `. Loopback is nobody's address unless
` + "`GATEWAY_LIMIT_LOOPBACK`" + ` is set. All settings: [configuration.md](configuration.md).
`

// Render returns the whole document. It fails when a row names a setting that
// does not exist.
func Render() ([]byte, error) {
	defaults := map[string]string{}
	for _, v := range variables() {
		defaults[v.Name] = v.Default
	}
	var b strings.Builder
	b.WriteString(intro)
	for _, s := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| what | of | at most | setting | answer to more | shown by |\n|---|---|---|---|---|---|\n", s.title, s.text)
		for _, r := range s.rows {
			line, err := r.render(defaults)
			if err != nil {
				return nil, err
			}
			b.WriteString(line)
		}
	}
	return []byte(b.String()), nil
}

func (r row) render(defaults map[string]string) (string, error) {
	most, names := r.most, make([]string, len(r.settings))
	for i, name := range r.settings {
		value, ok := defaults[name]
		if !ok || !strings.Contains(most, "{}") {
			return "", fmt.Errorf("%s: there is no setting %s, or no place for it", r.what, name)
		}
		most = strings.Replace(most, "{}", value, 1)
		names[i] = "`" + name + "`"
	}
	setting := strings.Join(names, "<br>")
	if setting == "" {
		setting = "*fixed*"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | `%s` |\n", r.what, r.whom, most, setting, r.answer, r.test), nil
}

// variables are the settings of all services.
func variables() []run.Variable {
	var list []run.Variable
	for prefix, cfg := range map[string]any{"AUTH": &auth.Config{}, "SOCIAL": &social.Config{}, "CHAT": &chat.Config{}, "GATEWAY": &gateway.Config{}} {
		list = append(list, run.Variables(prefix, cfg)...)
	}
	return list
}

// limiting are the names of settings that bound what clients may do.
var limiting = regexp.MustCompile(`_PER_(SECOND|MINUTE|HOUR|DAY)$|_BURST$|_FAILURES$|^(GATEWAY|SOCIAL|AUTH)_MAX_`)

// notLimits are settings with such names that bound nothing of the kind.
var notLimits = map[string]string{"GATEWAY_MAX_CONN_AGE": "sends away, refuses nobody"}

// Missing names the settings that bound what clients may do and stand in no
// row.
func Missing() []string {
	listed := map[string]bool{}
	for _, s := range sections {
		for _, r := range s.rows {
			for _, name := range r.settings {
				listed[name] = true
			}
		}
	}
	var missing []string
	for _, v := range variables() {
		if limiting.MatchString(v.Name) && !listed[v.Name] && notLimits[v.Name] == "" {
			missing = append(missing, v.Name)
		}
	}
	return missing
}
