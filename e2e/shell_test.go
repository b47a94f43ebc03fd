package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// example is a command that a document shows, and what it says that is
// printed.
type example struct {
	section string // the last heading of two #
	line    int
	command string
	output  []string // lines, in order; … stands for anything, and so does what is between them
}

var fence = regexp.MustCompile("^```([a-z]*)$")

// examples reads the commands of a document: blocks of sh, each with the block
// of text that follows it.
func examples(t *testing.T, path string) []example {
	t.Helper()
	document, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []example
	var section, kind string // kind of the open block; empty outside
	owed := false            // the last command's output
	given := false           // by the block of text that is open
	for i, line := range strings.Split(string(document), "\n") {
		switch mark := fence.FindStringSubmatch(line); {
		case kind == "" && strings.HasPrefix(line, "## "):
			section = strings.TrimPrefix(line, "## ")
		case mark != nil && kind != "" && mark[1] == "":
			kind = ""
		case mark != nil && kind == "":
			kind = mark[1] + "."
			if mark[1] == "sh" {
				if owed {
					t.Fatalf("%s:%d: what does the command before this one print?", path, i+1)
				}
				all = append(all, example{section: section, line: i + 1})
			}
			given = owed && mark[1] == "text"
			owed = mark[1] == "sh"
		case kind == "sh.":
			all[len(all)-1].command += line + "\n"
		case kind == "text." && given:
			all[len(all)-1].output = append(all[len(all)-1].output, line)
		}
	}
	if owed {
		t.Fatalf("%s: what does the last command print?", path)
	}
	for _, e := range all {
		if strings.Trim(strings.Join(e.output, ""), "… ") == "" {
			t.Fatalf("%s:%d: says nothing of what is printed", path, e.line)
		}
	}
	return all
}

// shows reports whether the output has the lines, in order.
func shows(output string, lines []string) error {
	rest := strings.Split(output, "\n")
	for _, want := range lines {
		pattern := lineOf(want)
		for len(rest) > 0 && !pattern.MatchString(rest[0]) {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return fmt.Errorf("%q is not printed", want)
		}
		rest = rest[1:]
	}
	return nil
}

var (
	gap       = regexp.MustCompile(`\s+`)
	something = regexp.MustCompile(`\s*…\s*`)
)

// lineOf makes a pattern of a line: … is anything, and columns may be wider.
func lineOf(want string) *regexp.Regexp {
	parts := something.Split(strings.TrimSpace(want), -1)
	for i, part := range parts {
		parts[i] = gap.ReplaceAllString(regexp.QuoteMeta(part), `\s+`)
	}
	return regexp.MustCompile(strings.Join(parts, ".*"))
}

// shell runs commands as an operator does.
type shell struct {
	dir string
	env []string
}

// newShell has the programs in its PATH and nothing of the machine's own
// settings of NATS.
func newShell(t *testing.T, programs []string, env ...string) *shell {
	t.Helper()
	sh := &shell{dir: t.TempDir()}
	path := os.Getenv("PATH")
	for _, program := range programs {
		path = filepath.Dir(program) + string(filepath.ListSeparator) + path
	}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "NATS_") {
			sh.env = append(sh.env, variable)
		}
	}
	sh.env = append(sh.env, "PATH="+path, "HOME="+sh.dir, "XDG_CONFIG_HOME="+sh.dir)
	sh.env = append(sh.env, env...)
	return sh
}

// job is a command that runs, in a process group of its own.
type job struct {
	cmd    *exec.Cmd
	done   chan struct{} // closed when it has ended
	status error

	mu     sync.Mutex
	output bytes.Buffer
}

func (j *job) Write(data []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.output.Write(data)
}

func (j *job) printed() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.output.String()
}

func (j *job) signal(s syscall.Signal) { _ = syscall.Kill(-j.cmd.Process.Pid, s) }

func (sh *shell) start(t *testing.T, command string) *job {
	t.Helper()
	j := &job{cmd: exec.Command("bash", "-o", "pipefail", "-c", command), done: make(chan struct{})}
	j.cmd.Dir, j.cmd.Env = sh.dir, sh.env
	j.cmd.Stdout, j.cmd.Stderr = j, j
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := j.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the command
		j.status = j.cmd.Wait()
		close(j.done)
	}()
	return j
}

// run lets something go on until the command has ended by itself, and checks
// what it printed. With status 0, unless an error is among what it must print.
func (sh *shell) run(t *testing.T, e example, meanwhile func()) {
	t.Helper()
	j := sh.start(t, e.command)
	sh.await(t, j, e, meanwhile, func() bool { return false })
	if err := shows(j.printed(), e.output); err != nil {
		t.Fatalf("%v:\n%s\n%s", err, e.command, j.printed())
	}
	wantError := strings.Contains(strings.Join(e.output, "\n"), "nats: error:")
	var exit *exec.ExitError
	if failed := errors.As(j.status, &exit); failed != wantError || j.status != nil && !failed {
		t.Fatalf("ended with %v:\n%s\n%s", j.status, e.command, j.printed())
	}
}

// watch is run for a command that goes on until Ctrl-C.
func (sh *shell) watch(t *testing.T, e example, meanwhile func()) {
	t.Helper()
	j := sh.start(t, e.command)
	sh.await(t, j, e, meanwhile, func() bool { return shows(j.printed(), e.output) == nil })
	select {
	case <-j.done:
		t.Fatalf("ended by itself, %v:\n%s\n%s", j.status, e.command, j.printed())
	default:
	}
	j.signal(syscall.SIGINT)
	sh.await(t, j, e, func() {}, func() bool { return false })
}

// await returns when the command has ended, or enough.
func (sh *shell) await(t *testing.T, j *job, e example, meanwhile func(), enough func() bool) {
	t.Helper()
	deadline := time.After(patience)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !enough() {
		select {
		case <-j.done:
			return
		case <-deadline:
			j.signal(syscall.SIGKILL)
			<-j.done
			t.Fatalf("still runs after %v:\n%s\n%s", patience, e.command, j.printed())
		case <-look.C:
			meanwhile()
		}
	}
}
