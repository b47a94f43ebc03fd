// Package shownname checks names that people read: of users, rooms and devices.
package shownname

import (
	"strings"
	"unicode"

	"github.com/parley-im/parley/pkg/fault"
)

// Check adds to check what makes a name, of the field, unreadable: control
// characters, characters that turn the text around them (bidi controls), and a
// name that shows nothing. An empty name passes.
func Check(check *fault.Check, field, name string) {
	check.That(!strings.ContainsFunc(name, unicode.IsControl), field, "must not have control characters")
	check.That(!strings.ContainsFunc(name, isBidiControl), field, "must not have characters that turn the direction of text")
	check.That(name == "" || strings.ContainsFunc(name, isVisible), field, "must have a visible character")
}

// isBidiControl is true of embeddings, overrides and isolates. The marks U+200E
// and U+200F turn nothing around them, and names of mixed scripts need them.
func isBidiControl(r rune) bool { return 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 }

// isVisible is true of letters, numbers, signs and symbols that have a shape of
// their own: a combining mark needs one before it.
func isVisible(r rune) bool {
	switch r {
	case 0x115f, 0x1160, 0x3164, 0xffa0, 0x2800: // fillers of Hangul, the empty Braille pattern
		return false
	}
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S)
}
