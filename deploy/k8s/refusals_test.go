package k8s

import (
	"os"
	"strings"
	"testing"

	"github.com/parley-im/parley/e2e/system"
)

// Each file of testdata/wrong says in its first line what helm must name:
// "# names: WORD WORD".
func TestRefusals(t *testing.T) {
	helm := system.Tool(t, "helm")
	list := names(t, "wrong")
	if len(list) < 10 {
		t.Fatalf("only %d wrong files", len(list))
	}
	for _, name := range list {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := "testdata/wrong/" + name + ".yaml"
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(text), "\n")
			words, ok := strings.CutPrefix(first, "# names: ")
			if !ok {
				t.Fatal("the file does not say what must be named")
			}
			_, err = runHelm(helm, "template", release, chart, "--values", file)
			if err == nil {
				t.Fatal("helm takes it")
			}
			for _, word := range strings.Fields(words) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%s is not named: %v", word, err)
				}
			}
		})
	}
}
