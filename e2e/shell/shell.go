package shell

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is the longest time that a command may take.
const patience = 30 * time.Second

// Shell runs commands as an operator does.
type Shell struct {
	Dir string
	env []string
}

// New returns a shell with the programs in its PATH and without the machine's
// own settings of NATS.
func New(t *testing.T, programs []string, env ...string) *Shell {
	t.Helper()
	sh := &Shell{Dir: t.TempDir()}
	path := os.Getenv("PATH")
	for _, program := range programs {
		path = filepath.Dir(program) + string(filepath.ListSeparator) + path
	}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "NATS_") {
			sh.env = append(sh.env, variable)
		}
	}
	sh.env = append(sh.env, "PATH="+path, "HOME="+sh.Dir, "XDG_CONFIG_HOME="+sh.Dir)
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

func (sh *Shell) start(t *testing.T, command string) *job {
	t.Helper()
	j := &job{cmd: exec.CommandContext(t.Context(), "bash", "-o", "pipefail", "-c", command), done: make(chan struct{})}
	j.cmd.Dir, j.cmd.Env = sh.Dir, sh.env
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

// Run starts the command, calls meanwhile until the command ends, and checks
// its output and status: 0, unless the output must hold an error.
func (sh *Shell) Run(t *testing.T, e Example, meanwhile func()) {
	t.Helper()
	j := sh.start(t, e.Command)
	sh.await(t, j, e, meanwhile, func() bool { return false })
	if err := Shows(j.printed(), e.Output); err != nil {
		t.Fatalf("%v:\n%s\n%s", err, e.Command, j.printed())
	}
	wantError := strings.Contains(strings.Join(e.Output, "\n"), "nats: error:")
	var exit *exec.ExitError
	if failed := errors.As(j.status, &exit); failed != wantError || j.status != nil && !failed {
		t.Fatalf("ended with %v:\n%s\n%s", j.status, e.Command, j.printed())
	}
}

// Watch is Run for a command that ends only on Ctrl-C.
func (sh *Shell) Watch(t *testing.T, e Example, meanwhile func()) {
	t.Helper()
	j := sh.start(t, e.Command)
	sh.await(t, j, e, meanwhile, func() bool { return Shows(j.printed(), e.Output) == nil })
	select {
	case <-j.done:
		t.Fatalf("ended by itself, %v:\n%s\n%s", j.status, e.Command, j.printed())
	default:
	}
	j.signal(syscall.SIGINT)
	sh.await(t, j, e, func() {}, func() bool { return false })
}

// await returns when the command has ended, or enough.
func (sh *Shell) await(t *testing.T, j *job, e Example, meanwhile func(), enough func() bool) {
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
			t.Fatalf("still runs after %v:\n%s\n%s", patience, e.Command, j.printed())
		case <-look.C:
			meanwhile()
		}
	}
}
