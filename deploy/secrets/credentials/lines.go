package credentials

import (
	"regexp"
	"strings"
)

// part is a piece of a .env file: an assignment with all its lines, or, without
// a name, any other line.
type part struct {
	name string
	text string // with the end of the line
}

// assigned is the beginning of an assignment: its name, and the quote that its
// value begins with, if any.
var assigned = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:][ \t]*(["']?)`)

// split cuts a file that Docker Compose can read into its parts.
func split(text string) []part {
	var parts []part
	for text != "" {
		end := lineEnd(text, 0)
		var name string
		if m := assigned.FindStringSubmatchIndex(text[:end]); m != nil {
			name = text[m[2]:m[3]]
			if quote := text[m[4]:m[5]]; quote != "" {
				end = lineEnd(text, closing(text, m[5], quote[0]))
			}
		}
		parts = append(parts, part{name: name, text: text[:end]})
		text = text[end:]
	}
	return parts
}

// closing is where the quoted value that begins at from ends.
func closing(text string, from int, quote byte) int {
	for i := from; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case quote:
			return i
		}
	}
	return len(text)
}

// lineEnd is where the line that holds from ends.
func lineEnd(text string, from int) int {
	if i := strings.IndexByte(text[from:], '\n'); i >= 0 {
		return from + i + 1
	}
	return len(text)
}
