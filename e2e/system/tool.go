package system

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// majorVersion is the last element of a module's path from its second on.
var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// Tool makes a program of another project, PACKAGE@VERSION, once for all tests
// of a run, and returns its path. It is built apart from our modules: what it
// requires does not reach them.
func Tool(t testing.TB, pkgVersion string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if binary, ok := built.paths[pkgVersion]; ok {
		return binary
	}
	dir, err := builtDir()
	if err != nil {
		t.Fatal(err)
	}
	// A directory each: two programs may have one name.
	dir = filepath.Join(dir, strings.NewReplacer("/", "_", "@", "_").Replace(pkgVersion))
	cmd := exec.Command("go", "install", pkgVersion)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("install %s: %v\n%s", pkgVersion, err, out)
	}
	pkg, _, _ := strings.Cut(pkgVersion, "@")
	if majorVersion.MatchString(path.Base(pkg)) {
		pkg = path.Dir(pkg)
	}
	binary := filepath.Join(dir, path.Base(pkg))
	built.paths[pkgVersion] = binary
	return binary
}
