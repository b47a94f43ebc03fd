// Package shell runs the commands that documents show, and compares their
// output with what the documents say.
package shell

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Example is a command of a document, with the output that the document shows.
type Example struct {
	Section string // the last heading of two #
	Line    int
	Command string
	Output  []string // lines, in order; … stands for anything, and so does what is between them
}

var fence = regexp.MustCompile("^```([a-z]*)$")

// Examples returns the commands of a document: each block of sh, with the block
// of text that follows it.
func Examples(t *testing.T, path string) []Example {
	t.Helper()
	document, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []Example
	var section, kind string // kind of the open block; empty outside
	owed := false            // the last command's output
	given := false           // by the block of text that is open
	for i, line := range strings.Split(string(document), "\n") {
		switch mark := fence.FindStringSubmatch(line); {
		case kind == "" && strings.HasPrefix(line, "## "):
			section = strings.TrimPrefix(line, "## ")
		case mark != nil && kind != "" && mark[1] == "":
			kind = ""
		case mark != nil && kind == "":
			kind = mark[1] + "."
			if mark[1] == "sh" {
				if owed {
					t.Fatalf("%s:%d: what does the command before this one print?", path, i+1)
				}
				all = append(all, Example{Section: section, Line: i + 1})
			}
			given = owed && mark[1] == "text"
			owed = mark[1] == "sh"
		case kind == "sh.":
			all[len(all)-1].Command += line + "\n"
		case kind == "text." && given:
			all[len(all)-1].Output = append(all[len(all)-1].Output, line)
		}
	}
	if owed {
		t.Fatalf("%s: what does the last command print?", path)
	}
	for _, e := range all {
		if strings.Trim(strings.Join(e.Output, ""), "… ") == "" {
			t.Fatalf("%s:%d: says nothing of what is printed", path, e.Line)
		}
	}
	return all
}

// Shows reports whether the output has the lines, in order.
func Shows(output string, lines []string) error {
	rest := strings.Split(output, "\n")
	for _, want := range lines {
		pattern := lineOf(want)
		for len(rest) > 0 && !pattern.MatchString(rest[0]) {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return fmt.Errorf("%q is not printed", want)
		}
		rest = rest[1:]
	}
	return nil
}

var (
	gap       = regexp.MustCompile(`\s+`)
	something = regexp.MustCompile(`\s*…\s*`)
)

// lineOf makes a pattern of a line: … is anything, and columns may be wider.
func lineOf(want string) *regexp.Regexp {
	parts := something.Split(strings.TrimSpace(want), -1)
	for i, part := range parts {
		parts[i] = gap.ReplaceAllString(regexp.QuoteMeta(part), `\s+`)
	}
	return regexp.MustCompile(strings.Join(parts, ".*"))
}
