package limitsdoc_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/parley-im/parley/standalone/limitsdoc"
)

var update = flag.Bool("update", false, "write docs/limits.md instead of checking it")

const path = "../../docs/limits.md"

func TestDoc_is_current(t *testing.T) {
	want, err := limitsdoc.Render()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("docs/limits.md does not match the code: run make generate")
	}
}

// No limit is forgotten: whoever adds a setting that bounds clients adds a row.
func TestDoc_has_every_limit(t *testing.T) {
	if missing := limitsdoc.Missing(); len(missing) > 0 {
		t.Errorf("without a row in rows.go: %v", missing)
	}
}
