package deploy

import (
	"context"
	"debug/buildinfo"
	"debug/elf"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/standalone/embedded"
)

// root is the repository's, the context of the build.
const root = ".."

// buildContext copies what .dockerignore lets through.
func buildContext(t *testing.T) string {
	t.Helper()
	file, err := os.Open(filepath.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	patterns, err := ignorefile.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(root, path)
		switch {
		case err != nil || relErr != nil:
			return err
		case entry.IsDir():
			if entry.Name() == ".git" || entry.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if skip, err := ignored.MatchesOrParentMatches(filepath.ToSlash(name)); err != nil || skip {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		target := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// programs are what images are made of, by SERVICE, with their package.
func programs(t *testing.T) map[string]string {
	t.Helper()
	list := map[string]string{"parleyctl": "parleyctl"}
	for _, service := range contract.Services() {
		list[string(service)] = arguments(t, stage(t, "build"), map[string]string{"SERVICE": string(service)})["PACKAGE"]
	}
	if _, err := os.Stat("smoke"); err == nil {
		list["smoke"] = "deploy/smoke"
	}
	return list
}

func TestDockerignore(t *testing.T) {
	dir := buildContext(t)
	t.Run("only what is built from", func(t *testing.T) {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			name, _ := filepath.Rel(dir, path)
			switch {
			case err != nil || entry.IsDir():
				return err
			case strings.HasSuffix(name, "_test.go"), strings.HasPrefix(name, "services/gateway/web/dist"), filepath.Ext(name) == ".env", filepath.Ext(name) == ".db":
				t.Errorf("%s is let through", name)
			}
			top, _, _ := strings.Cut(name, string(filepath.Separator))
			if !slices.Contains([]string{"pkg", "services", "deploy", "e2e", "parleyctl", "standalone", "web", "LICENSE"}, top) {
				t.Errorf("%s is let through", name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Run("all that is copied by name", func(t *testing.T) {
		for _, stage := range dockerfile(t) {
			for _, copied := range commands[*instructions.CopyCommand](stage) {
				for _, source := range copied.SourcePaths {
					if _, err := os.Stat(filepath.Join(dir, source)); err != nil && copied.From == "" {
						t.Error(err)
					}
				}
			}
		}
	})
	// A missing package, module or embedded file is found without compiling.
	for name, pkg := range programs(t) {
		t.Run("all that "+name+" needs", func(t *testing.T) {
			list := exec.Command("go", "list", "-C", filepath.Join(dir, pkg), "-deps", "-f", "{{.ImportPath}}", ".")
			list.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=")
			out, err := list.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if strings.Contains(string(out), "parley/e2e") || strings.Contains(string(out), "parley/standalone") {
				t.Errorf("the program needs what is for tests:\n%s", out)
			}
		})
	}
}

// buildGateway runs the Dockerfile's last RUN, which builds, in dir.
func buildGateway(t *testing.T, dir string, given map[string]string) string {
	t.Helper()
	stage, out := stage(t, "build"), t.TempDir()
	given["SERVICE"], given["TARGETOS"], given["TARGETARCH"] = string(contract.Gateway), runtime.GOOS, runtime.GOARCH
	runs := commands[*instructions.RunCommand](stage)
	line := strings.ReplaceAll(strings.Join(runs[len(runs)-1].CmdLine, " "), "/out/", out+"/")
	build := exec.Command("sh", "-c", line)
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=-buildvcs=auto") // go env may say otherwise
	for name, value := range arguments(t, stage, given) {
		build.Env = append(build.Env, name+"="+value)
	}
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, output)
	}
	return filepath.Join(out, "parley")
}

// TestImage_is_built carries out the steps of the Dockerfile for a gateway and
// runs what comes of them as a container would.
func TestImage_is_built(t *testing.T) {
	dir := buildContext(t)
	binary := buildGateway(t, dir, map[string]string{"VERSION": "1.2.3", "REVISION": "abc123"})

	t.Run("static", func(t *testing.T) {
		file, err := elf.Open(binary)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		libraries, err := file.ImportedLibraries()
		if err != nil || len(libraries) > 0 {
			t.Errorf("it links %v, %v", libraries, err)
		}
		for _, program := range file.Progs {
			if program.Type == elf.PT_INTERP {
				t.Error("it needs a dynamic linker")
			}
		}
		if file.Section(".debug_info") != nil {
			t.Error("it is not stripped")
		}
	})
	t.Run("its modules can be listed", func(t *testing.T) {
		info, err := buildinfo.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		if info.Path != "github.com/parley-im/parley/services/gateway/cmd/gateway" || len(info.Deps) < 10 {
			t.Errorf("it is %s with %d modules", info.Path, len(info.Deps))
		}
	})
	t.Run("version and revision", func(t *testing.T) {
		if out := versionOf(t, binary); out != "parley gateway 1.2.3 (abc123)\n" {
			t.Errorf("got %q", out)
		}
	})
	t.Run("the revision of a repository without being told", func(t *testing.T) {
		git := func(args ...string) string {
			cmd := exec.Command("git", append([]string{"-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-C", dir}, args...)...)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("git %v: %v\n%s", args, err, out)
			}
			return strings.TrimSpace(string(out))
		}
		git("init", "--quiet")
		git("add", ".")
		git("commit", "--quiet", "--message", "all")
		if out, want := versionOf(t, buildGateway(t, dir, map[string]string{"REVISION": ""})), git("rev-parse", "HEAD"); out != "parley gateway 0.0.0-dev ("+want+")\n" {
			t.Errorf("got %q, want revision %s", out, want)
		}
	})
	t.Run("runs in a container's way", func(t *testing.T) { runGateway(t, binary) })
}

func versionOf(t *testing.T, binary string) string {
	t.Helper()
	out, err := exec.Command(binary, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// runGateway has the binary join a running system, where it may write nothing.
func runGateway(t *testing.T, binary string) {
	alone := system.StartAlone(t)
	secrets, err := embedded.LoadSecrets(t.Context(), alone.Data)
	if err != nil {
		t.Fatal(err)
	}
	addr, ops, nats := system.FreeAddr(t), system.FreeAddr(t), "nats://"+system.FreeAddr(t)
	_, port, _ := strings.Cut(ops, ":")
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(binary, args...)
		cmd.Dir = "/proc" // not even root may write here
		cmd.Env = []string{
			"HOME=/proc", "TMPDIR=/proc",
			"OPS_ADDR=:1", "GATEWAY_OPS_ADDR=" + ops, "GATEWAY_ADDR=" + addr, "GATEWAY_DRAIN_TIME=0s", "REDIS_URL=redis://127.0.0.1:1",
			"NATS_URL=" + nats, "NATS_USER=gateway", "NATS_PASSWORD=" + secrets.NATS["gateway"],
		}
		return cmd
	}
	check := func(opsAddr string) (string, error) {
		cmd := command("-check")
		cmd.Env = append(cmd.Env, "GATEWAY_OPS_ADDR="+opsAddr)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	serve := func() (stop func()) {
		var log strings.Builder
		cmd := command()
		cmd.Stderr = &log // read after Wait only
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			if err := cmd.Wait(); err != nil {
				t.Errorf("the gateway ended: %v\n%s", err, log.String())
			}
		}
	}

	if out, err := check(ops); err == nil || !strings.Contains(out, "ask the operations port") {
		t.Errorf("nothing runs, but -check says %q, %v", out, err)
	}
	stop := serve() // without NATS
	eventually(t, "it says that it starts", func() bool {
		out, err := check(ops)
		return err != nil && out == "gateway: not ready: gateway starting: starting\n"
	})
	stop()

	nats = "nats://" + alone.NATSAddr
	stop = serve()
	defer stop()
	eventually(t, "it is ready", func() bool {
		out, err := check(":" + port)
		return err == nil && strings.HasPrefix(out, "ready; gateway redis: degraded: ")
	})
	if metrics := page(t, "http://"+ops+"/metrics"); !strings.Contains(metrics, `parley_build_info{revision="abc123",service="gateway",version="1.2.3"} 1`) {
		t.Errorf("no build in\n%s", metrics)
	}
}

func page(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}
