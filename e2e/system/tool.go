package system

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tools lists the programs of other projects that tests run, one a line: the
// binary's name, and its package with a version. "make tools" builds them all.
//
//go:embed tools.txt
var tools string

// ToolPackage returns PACKAGE@VERSION of a program in tools.txt, or "" if it is
// not listed there.
func ToolPackage(name string) string {
	for line := range strings.Lines(tools) {
		if listed, pkg, _ := strings.Cut(strings.TrimSpace(line), " "); listed == name {
			return pkg
		}
	}
	return ""
}

// Tool returns the path of a program in tools.txt. PARLEY_TOOLS names the
// directory where "make tools" has built them; without it the first test that
// needs a program builds it. Either way the program is built apart from our
// modules, so that its requirements do not reach them.
func Tool(t testing.TB, name string) string {
	t.Helper()
	pkg := ToolPackage(name)
	if pkg == "" {
		t.Fatalf("e2e/system/tools.txt lists no %s", name)
	}
	if dir := os.Getenv("PARLEY_TOOLS"); dir != "" {
		return prebuilt(t, dir, name, "make tools")
	}
	built.Lock()
	defer built.Unlock()
	if binary, ok := built.paths[pkg]; ok {
		return binary
	}
	dir, err := builtDir()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "tools")
	cmd := exec.Command("go", "install", pkg)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("install %s: %v\n%s", pkg, err, out)
	}
	built.paths[pkg] = filepath.Join(dir, name)
	return built.paths[pkg]
}

// prebuilt returns the path of a program that a make target has built.
func prebuilt(t testing.TB, dir, name, target string) string {
	t.Helper()
	binary := filepath.Join(dir, name)
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("%q must build %s: %v", target, name, err)
	}
	return binary
}
