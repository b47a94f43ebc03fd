package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// walked are the requirements of ASVS 5.0, levels 1 and 2, in the chapters that
// docs/security.md walks.
const walked = `
1.1.1 1.1.2 1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.2.6 1.2.7 1.2.8 1.2.9
1.3.1 1.3.2 1.3.3 1.3.4 1.3.5 1.3.6 1.3.7 1.3.8 1.3.9 1.3.10 1.3.11 1.4.1 1.4.2 1.4.3 1.5.1 1.5.2
2.1.1 2.1.2 2.1.3 2.2.1 2.2.2 2.2.3 2.3.1 2.3.2 2.3.3 2.3.4 2.4.1
3.2.1 3.2.2 3.3.1 3.3.2 3.3.3 3.3.4 3.4.1 3.4.2 3.4.3 3.4.4 3.4.5 3.4.6 3.5.1 3.5.2 3.5.3 3.5.4 3.5.5 3.7.1 3.7.2
4.1.1 4.1.2 4.1.3 4.2.1 4.3.1 4.3.2 4.4.1 4.4.2 4.4.3 4.4.4
6.1.1 6.1.2 6.1.3 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.2.9 6.2.10 6.2.11
6.3.1 6.3.2 6.3.3 6.3.4 6.4.1 6.4.2 6.4.3 6.4.4 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.1 6.6.2 6.6.3 6.8.1 6.8.2 6.8.3 6.8.4
7.1.1 7.1.2 7.1.3 7.2.1 7.2.2 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.1 7.6.2
8.1.1 8.1.2 8.2.1 8.2.2 8.2.3 8.3.1 8.4.1
9.1.1 9.1.2 9.1.3 9.2.1 9.2.2 9.2.3 9.2.4`

var (
	requirement = regexp.MustCompile(`\b\d\.\d\.\d{1,2}\b`)
	namedFile   = regexp.MustCompile("`([a-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+\\.[a-z]+|[a-z]+(?:/[a-z]+)+/Caddyfile)`")
	states      = map[string]bool{"met": true, "partly": true, "not met": true, "n/a": true}
)

// TestSecurity_walks_every_requirement holds docs/security.md against the list
// above and the files that there are; TestGuarantees_name_their_tests holds
// its tests.
func TestSecurity_walks_every_requirement(t *testing.T) {
	doc, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || !requirement.MatchString(cells[1]) {
			continue
		}
		state, where, shown := strings.TrimSpace(cells[2]), cells[4], cells[5]
		if !states[state] {
			t.Errorf("%s is %q", cells[1], state)
		}
		if strings.TrimSpace(shown) != "" && strings.TrimSpace(where) == "" {
			t.Errorf("%s has a test, and no place", cells[1])
		}
		for _, id := range requirement.FindAllString(cells[1], -1) {
			rows[id]++
		}
	}
	for _, id := range strings.Fields(walked) {
		if rows[id] != 1 {
			t.Errorf("%s has %d rows", id, rows[id])
		}
		delete(rows, id)
	}
	if len(rows) > 0 {
		t.Errorf("not of these levels: %v", rows)
	}
	files := namedFile.FindAllSubmatch(doc, -1)
	if len(files) < 50 {
		t.Fatalf("it names %d files", len(files))
	}
	for _, m := range files {
		if _, err := os.Stat("../" + string(m[1])); err != nil {
			t.Errorf("there is no %s", m[1])
		}
	}
}
