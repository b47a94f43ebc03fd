package configdoc_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/parley-im/parley/standalone/configdoc"
)

var update = flag.Bool("update", false, "write docs/configuration.md instead of checking it")

const path = "../../docs/configuration.md"

func TestDoc_is_current(t *testing.T) {
	want := configdoc.Render()
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
		t.Fatal("docs/configuration.md does not match the Config structs: run make generate")
	}
}
