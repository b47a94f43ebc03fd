package dashboard

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

const file = "../k8s/parley/files/dashboard.json"

var update = flag.Bool("update", false, "write dashboard.json instead of checking it")

func TestFile_is_current(t *testing.T) {
	want, err := Render()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what rows.go says: make generate", file)
	}
}
