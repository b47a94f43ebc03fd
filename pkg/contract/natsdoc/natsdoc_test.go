package natsdoc_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/parley-im/parley/pkg/contract/natsdoc"
)

var update = flag.Bool("update", false, "write docs/nats.md instead of checking it")

const path = "../../../docs/nats.md"

func TestDoc_is_current(t *testing.T) {
	want := natsdoc.Render()
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
		t.Fatal("docs/nats.md does not match pkg/contract: run make generate")
	}
}
