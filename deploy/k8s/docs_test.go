package k8s

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/parley-im/parley/e2e/system"
)

var yamlBlock = regexp.MustCompile("(?ms)^ *```yaml\n(.*?)^ *```$")

// blocks are the YAML files of the section Kubernetes in docs/operations.md,
// by the name in their first line.
func blocks(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## Kubernetes\n")
	if !ok {
		t.Fatal("there is no section Kubernetes")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	found := map[string][]string{}
	for _, match := range yamlBlock.FindAllStringSubmatch(section, -1) {
		name, _, _ := strings.Cut(strings.TrimSpace(match[1]), "\n")
		found[strings.TrimPrefix(name, "# ")] = append(found[strings.TrimPrefix(name, "# ")], match[1])
	}
	return found
}

// The values of the document are values that the chart takes, also with a
// public host, and leave nothing to warn of but that.
func TestDocs_values_are_taken(t *testing.T) {
	helm := system.Tool(t, "helm")
	list := blocks(t)["values.yaml"]
	if len(list) != 3 {
		t.Fatalf("there are %d examples", len(list))
	}
	for i, text := range list {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("example-%d.yaml", i))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		renderFile(t, file)
		if !strings.Contains(text, "ingress:") {
			continue
		}
		out, err := runHelm(helm, "install", release, chart, "--dry-run=client", "--values", file)
		if err != nil {
			t.Fatal(err)
		}
		if _, warnings, found := strings.Cut(out, "Mind:"); found {
			t.Errorf("the document's example is warned of:%s", warnings)
		}
	}
}

func TestDocs_overlay_is_the_tested_one(t *testing.T) {
	list := blocks(t)["kustomization.yaml"]
	if len(list) != 1 {
		t.Fatalf("there are %d overlays", len(list))
	}
	var got map[string]any
	if err := yaml.UnmarshalStrict([]byte(list[0]), &got); err != nil {
		t.Fatal(err)
	}
	if want := readYAML(t, "testdata/overlay/kustomization.yaml"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the document's overlay is not testdata/overlay:\n%v\n%v", got, want)
	}
}
