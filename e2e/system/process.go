package system

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startWait = 60 * time.Second // for "ready"; race-built processes start slowly on a busy machine
	stopWait  = 20 * time.Second // after SIGTERM
	keptLog   = 256 << 10        // bytes of a process's output kept for a failed test

	// raceOptions end a process at its first race, and else without the second
	// that the detector waits for more of them.
	raceOptions = "GORACE=halt_on_error=1 atexit_sleep_ms=0"
)

// Process is one part of Parley as a process of its own.
type Process struct {
	Name string
	Ops  string // base URL of its operations port
	// LogFile gets what the process writes, unless it is empty.
	LogFile string

	args []string
	env  []string
	bin  string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended and been reaped
	log  tail
}

// start runs the process and returns when it says that it is ready.
func (p *Process) start(ctx context.Context) error {
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd := exec.Command(p.bin, p.args...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	_ = in.Close()
	ready, done := make(chan struct{}), make(chan struct{})
	p.mu.Lock()
	p.cmd, p.done = cmd, done
	p.mu.Unlock()
	go func() { // ends with the process's output
		p.scan(out, ready)
		_ = cmd.Wait()
		close(done)
	}()
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	select {
	case <-ready:
		return nil
	case <-done:
		return fmt.Errorf("%s ended before it was ready, %v:\n%s", p.Name, cmd.ProcessState, p.log.String())
	case <-ctx.Done():
		return fmt.Errorf("%s is not ready: %w\n%s", p.Name, ctx.Err(), p.log.String())
	}
}

func (p *Process) scan(out io.ReadCloser, ready chan<- struct{}) {
	defer out.Close()
	copied := io.Discard
	if p.LogFile != "" {
		file, err := os.OpenFile(p.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			defer file.Close()
			copied = file
		}
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		p.log.add(line)
		_, _ = io.WriteString(copied, line)
		if ready != nil && strings.HasPrefix(line, "ready") {
			close(ready)
			ready = nil
		}
		if err != nil {
			return
		}
	}
}

// Kill ends the process at once, as a crash would.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	p.signal(t, syscall.SIGKILL)
	p.wait(t)
}

// Stop asks the process to end, as an operator would, and checks that it does
// so with status 0.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	p.stop(t, syscall.SIGTERM)
}

// Interrupt is Stop by Ctrl-C.
func (p *Process) Interrupt(t testing.TB) {
	t.Helper()
	p.stop(t, syscall.SIGINT)
}

func (p *Process) stop(t testing.TB, s syscall.Signal) {
	t.Helper()
	p.signal(t, s)
	p.wait(t)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("%s ended with status %d:\n%s", p.Name, code, p.Log())
	}
}

// Restart starts the process again after Kill or Stop.
func (p *Process) Restart(t testing.TB) {
	t.Helper()
	if err := p.start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Roll replaces the process as a rolling restart does: it is asked to end, and
// the next one is waited for until it is ready.
func (p *Process) Roll(t testing.TB) {
	t.Helper()
	p.Stop(t)
	p.Restart(t)
}

// Log is the last of what the process wrote.
func (p *Process) Log() string { return p.log.String() }

func (p *Process) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("signal %s: %v", p.Name, err)
	}
}

func (p *Process) wait(t testing.TB) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(stopWait):
		_ = p.cmd.Process.Kill()
		t.Fatalf("%s did not end within %v:\n%s", p.Name, stopWait, p.Log())
	}
}

// end stops the process if it runs; part of a test's cleanup.
func (p *Process) end() {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-done:
	case <-time.After(stopWait):
		_ = cmd.Process.Kill()
		<-done
	}
}

// tail keeps the last of what is added.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.WriteString(line)
	if extra := t.buf.Len() - keptLog; extra > 0 {
		t.buf.Next(extra)
	}
}

// Write is add for a log.
func (t *tail) Write(line []byte) (int, error) {
	t.add(string(line))
	return len(line), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
