package deploy

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
)

const workflows = root + "/.github/workflows"

// workflow is what the tests look at.
type workflow struct {
	On          map[string]any
	Permissions *map[string]string
	Jobs        map[string]struct {
		Needs       []string
		Uses        string
		Permissions *map[string]string
		Strategy    struct {
			Matrix struct{ Include []map[string]string }
		}
		Steps []step
	}
}

type step struct {
	Uses, Run string
	With      map[string]any
}

func readWorkflow(t *testing.T, name string) workflow {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(workflows, name))
	if err != nil {
		t.Fatal(err)
	}
	var w workflow
	if err := yaml.Unmarshal(source, &w); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWorkflows_pass_actionlint(t *testing.T) {
	files, err := filepath.Glob(workflows + "/*.yml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	args := append([]string{"-shellcheck=", "-pyflakes="}, files...) // those are programs that not everyone has
	if out, err := exec.Command(system.Tool(t, "actionlint"), args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestWorkflows_may_do_no_more_than_they_must(t *testing.T) {
	publish := map[string]string{"contents": "read", "packages": "write", "id-token": "write"}
	read := map[string]string{"contents": "read"}
	want := map[string]map[string]map[string]string{
		"ci.yml":      {"test": read},
		"release.yml": {"test": read, "version": read, "images": publish, "chart": publish},
	}
	version := regexp.MustCompile(`@v\d+(\.\d+\.\d+)?$`)
	for name, jobs := range want {
		w := readWorkflow(t, name)
		if w.Permissions == nil || len(*w.Permissions) > 0 {
			t.Errorf("%s: its jobs inherit %v", name, w.Permissions)
		}
		if got, want := slices.Sorted(maps.Keys(w.Jobs)), slices.Sorted(maps.Keys(jobs)); !slices.Equal(got, want) {
			t.Errorf("%s: jobs %v, want %v", name, got, want)
		}
		for job, permissions := range jobs {
			if got := w.Jobs[job].Permissions; got == nil || !maps.Equal(*got, permissions) {
				t.Errorf("%s: %s may %v", name, job, got)
			}
			for _, step := range w.Jobs[job].Steps {
				if step.Uses != "" && !version.MatchString(step.Uses) {
					t.Errorf("%s: %s uses %s", name, job, step.Uses)
				}
				if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != false {
					t.Errorf("%s: %s leaves its token to later steps", name, job)
				}
				if strings.Contains(step.Run, "${{") {
					t.Errorf("%s: %s writes what others may choose into a script: %s", name, job, step.Run)
				}
			}
		}
	}
}

func TestRelease(t *testing.T) {
	w := readWorkflow(t, "release.yml")
	if push, _ := w.On["push"].(map[string]any); len(w.On) != 1 || push == nil || len(push) != 1 || push["tags"] == nil {
		t.Errorf("it runs on %v", w.On)
	}
	if w.Jobs["test"].Uses != "./.github/workflows/ci.yml" || !slices.Contains(w.Jobs["images"].Needs, "test") || !slices.Contains(w.Jobs["chart"].Needs, "images") {
		t.Errorf("the order is not test, images, chart: %+v", w.Jobs)
	}
	if steps := readWorkflow(t, "ci.yml").Jobs["test"].Steps; !slices.ContainsFunc(steps, func(s step) bool { return s.Run == ".ci/run" }) {
		t.Error("ci.yml does not run .ci/run")
	}

	built := map[string]string{}
	for _, row := range w.Jobs["images"].Strategy.Matrix.Include {
		built[row["service"]] = row["package"]
	}
	want := map[string]string{"smoke": "deploy/smoke", "parleyctl": "parleyctl"}
	for _, service := range contract.Services() {
		want[string(service)] = arguments(t, stage(t, "build"), map[string]string{"SERVICE": string(service)})["PACKAGE"]
	}
	if !maps.Equal(built, want) {
		t.Errorf("images of %v, want %v", built, want)
	}

	var args []string
	for _, step := range w.Jobs["images"].Steps {
		if !strings.HasPrefix(step.Uses, "docker/build-push-action@") {
			continue
		}
		if step.With["platforms"] != "linux/amd64,linux/arm64" || step.With["sbom"] != true || step.With["provenance"] != "mode=max" || step.With["file"] != "deploy/Dockerfile" {
			t.Errorf("it builds with %v", step.With)
		}
		for line := range strings.Lines(step.With["build-args"].(string)) {
			name, _, _ := strings.Cut(line, "=")
			args = append(args, name)
		}
	}
	known := arguments(t, stage(t, "build"), map[string]string{})
	maps.Copy(known, arguments(t, stage(t, ""), map[string]string{}))
	for _, arg := range args {
		if _, ok := known[arg]; !ok {
			t.Errorf("the Dockerfile has no argument %s", arg)
		}
	}
	if len(args) != 5 {
		t.Errorf("arguments %v", args)
	}
}
