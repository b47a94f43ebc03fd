package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Signal sends a signal to the process; none if it has ended. What has to be
// waited for afterwards is the caller's to wait for.
func (p *Process) Signal(s syscall.Signal) error {
	p.mu.Lock()
	cmd := p.cmd
	p.mu.Unlock()
	if err := cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.Name, err)
	}
	return nil
}

// Exited is closed when the process that runs now has ended.
func (p *Process) Exited() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

// Crash ends the process as a crash would, and returns once it is gone.
func (p *Process) Crash(ctx context.Context) error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	select {
	case <-p.Exited():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// End asks the process to end, as an operator would; the error says that it
// did not in time, or not with status 0.
func (p *Process) End(ctx context.Context) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.Exited():
	case <-time.After(stopWait):
		return fmt.Errorf("%s did not end within %v", p.Name, stopWait)
	case <-ctx.Done():
		return ctx.Err()
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("%s ended with status %d", p.Name, code)
	}
	return nil
}

// Again starts the process anew after it has ended, and returns when it is
// ready.
func (p *Process) Again(ctx context.Context) error { return p.start(ctx) }
