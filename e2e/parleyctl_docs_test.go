package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// documented is what docs/parleyctl.md shows that a command prints.
func documented(t *testing.T, command string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/parleyctl.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "```console\n"+command)
	shown, _, ended := strings.Cut(after, "```")
	if !found || !ended {
		t.Fatalf("docs/parleyctl.md does not show %s", command)
	}
	return shown
}

// chance is what differs from run to run: ids, times, addresses, versions.
var chance = []struct {
	is     *regexp.Regexp
	stands string
}{
	{regexp.MustCompile(`https?://127\.0\.0\.1:\d+`), "URL"},
	{regexp.MustCompile(`\b0[0-9a-hjkmnp-tv-z]{25}\b`), "ID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`version \d+(\.\d+\.\d+)?`), "version N"}, // of NATS, and of schemas
	{regexp.MustCompile(`0\.0\.0-dev \([0-9a-f]+\)`), "0.0.0-dev"},
	{regexp.MustCompile(`[ \t]+`), " "}, // columns are as wide as what is in them
}

func settled(text string) string {
	for _, c := range chance {
		text = c.is.ReplaceAllString(text, c.stands)
	}
	return strings.TrimSpace(text)
}
