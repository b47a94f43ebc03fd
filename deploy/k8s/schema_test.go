package k8s

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the generated files instead of checking them")

const (
	chart           = "parley"
	schemaSource    = "values.schema.yaml"
	generatedSchema = "parley/values.schema.json"
)

func TestSchema_is_current(t *testing.T) {
	want, err := Schema(schemaSource)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(generatedSchema, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(generatedSchema)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s does not match %s and the Config structs: run make generate", generatedSchema, schemaSource)
	}
}
