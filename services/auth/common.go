package auth

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// commonText is the 10,000 most common passwords of at least eight characters,
// folded and in order; common/LICENSE says where they are from.
//
//go:embed common/passwords.txt
var commonText string

// commonPasswords is split when it is first asked for.
var commonPasswords = sync.OnceValue(func() []string { return strings.Split(strings.TrimSpace(commonText), "\n") })

// easy reports whether whoever guesses would try the password early: it is
// common, one character over and over, or one of the names, or ours, with
// digits and signs around it.
func easy(password string, names ...string) bool {
	folded := strings.ToLower(password)
	if _, common := slices.BinarySearch(commonPasswords(), folded); common {
		return true
	}
	first := []rune(folded)[:1]
	if strings.Trim(folded, string(first)) == "" {
		return true
	}
	core := bare(folded)
	return core != "" && slices.ContainsFunc(append(names, "parley"), func(name string) bool {
		name = strings.ToLower(name)
		local, _, _ := strings.Cut(name, "@")
		return core == bare(name) || core == bare(local)
	})
}

// bare is what is left of a text without digits and signs around it.
func bare(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
}
