package system

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sync"
	"testing"
)

// standalone is the package of the binary that runs any part.
const standalone = "github.com/parley-im/parley/standalone"

// built are the binaries of this run, by package, in one directory.
var built = struct {
	sync.Mutex
	dir   string
	paths map[string]string
}{paths: map[string]string{}}

// Build returns the path of a package's binary. PARLEY_PROGRAMS names the
// directory where "make programs" has built them, once for all packages of
// tests. Without it each test binary builds what it needs, once, with the race
// detector if the tests have it.
func Build(t testing.TB, pkg string) string {
	t.Helper()
	if dir := os.Getenv("PARLEY_PROGRAMS"); dir != "" {
		return prebuilt(t, dir, path.Base(pkg), "make programs")
	}
	built.Lock()
	defer built.Unlock()
	if binary, ok := built.paths[pkg]; ok {
		return binary
	}
	binary, err := build(pkg, path.Base(pkg), raceEnabled)
	if err != nil {
		t.Fatal(err)
	}
	built.paths[pkg] = binary
	return binary
}

// BuildPlain is Build for standalone without the race detector, which ends a
// process at 8,128 goroutines.
func BuildPlain(t testing.TB) string {
	t.Helper()
	const name = "standalone-plain"
	if dir := os.Getenv("PARLEY_PROGRAMS"); dir != "" {
		return prebuilt(t, dir, name, "make programs")
	}
	if !raceEnabled {
		return Build(t, standalone)
	}
	built.Lock()
	defer built.Unlock()
	if built.paths[name] == "" {
		binary, err := build(standalone, name, false)
		if err != nil {
			t.Fatal(err)
		}
		built.paths[name] = binary
	}
	return built.paths[name]
}

func build(pkg, name string, race bool) (string, error) {
	dir, err := builtDir()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, name)
	args := []string{"build", "-o", binary}
	if race {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, pkg)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return binary, nil
}

// builtDir is the directory of the binaries; the lock of built is held.
func builtDir() (string, error) {
	if built.dir == "" {
		dir, err := os.MkdirTemp("", "parley-e2e-")
		if err != nil {
			return "", err
		}
		built.dir = dir
	}
	return built.dir, nil
}

// Cleanup removes the binaries; for TestMain.
func Cleanup() {
	built.Lock()
	defer built.Unlock()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
}
