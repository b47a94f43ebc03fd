package k8s

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

// anyKeys are the parts of values whose keys are the user's own: labels and
// the like, and what the chart passes on whole.
var anyKeys = []string{"podAnnotations", "podLabels", "nodeSelector", "affinity/nodeAffinity", "annotations", "labels", "matchLabels"}

// A key that the chart does not know is refused wherever it stands, rather
// than passed over: here at every level of values that have everything.
func TestUnknown_keys_are_refused(t *testing.T) {
	schema := compile(t)
	levels := 0
	for _, name := range matrix(t) {
		values := merged(t, "testdata/values/"+name+".yaml")
		if err := schema.Validate(values); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		walk("", values, func(path string, level map[string]any) {
			if takesAnyKey(path) {
				return
			}
			levels++
			level["surprise"] = true
			if err := schema.Validate(values); err == nil || !strings.Contains(fmt.Sprintf("%v", err), "surprise") {
				t.Errorf("%s takes the key surprise: %v", path, err)
			}
			delete(level, "surprise")
		})
	}
	if levels < 500 {
		t.Errorf("only %d levels were tried", levels)
	}
}

func takesAnyKey(path string) bool {
	for _, part := range anyKeys {
		if strings.HasSuffix(path, "/"+part) || strings.Contains(path, "/"+part+"/") {
			return true
		}
	}
	return false
}

// walk visits every map within the value.
func walk(path string, value any, visit func(path string, level map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		visit(path, value)
		for key, inner := range value {
			walk(path+"/"+key, inner, visit)
		}
	case []any:
		for i, inner := range value {
			walk(fmt.Sprintf("%s/%d", path, i), inner, visit)
		}
	}
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(generatedSchema)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// merged are the chart's values with those of the file, as helm merges them.
func merged(t *testing.T, file string) map[string]any {
	t.Helper()
	base, own := readYAML(t, chart+"/values.yaml"), readYAML(t, file)
	merge(base, own)
	return base
}

func readYAML(t *testing.T, file string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return values
}

func merge(to, from map[string]any) {
	for key, value := range from {
		inner, both := value.(map[string]any)
		into, isMap := to[key].(map[string]any)
		switch {
		case value == nil:
			delete(to, key)
		case both && isMap:
			merge(into, inner)
		default:
			to[key] = value
		}
	}
}
