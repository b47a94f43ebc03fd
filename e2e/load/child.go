package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// childCommand as the first argument makes this program a floor's server: a
// process of its own, so that its CPU and memory can be told from those of the
// load. The kind of server follows.
const childCommand = "floor-server"

// serveChild serves until in ends, which it does with the parent, and tells
// out where.
func serveChild(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	kinds := map[string]func(context.Context) (addr string, stop func(), err error){
		"broadcast": serveBroadcast,
		"nats":      serveNATS,
	}
	serve := kinds[strings.Join(args, " ")]
	if serve == nil {
		return fmt.Errorf("%s: there is no %q", childCommand, args)
	}
	addr, stop, err := serve(ctx)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprintln(out, addr)
	_, err = io.Copy(io.Discard, in)
	return err
}

// child is such a process, seen by its parent.
type child struct {
	cmd  *exec.Cmd
	in   io.Closer // its end is the child's
	addr string
}

// startChild returns when the server listens.
func startChild(ctx context.Context, kind string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", kind, err)
	}
	cmd := exec.CommandContext(ctx, self, childCommand, kind)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", kind, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", kind, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", kind, err)
	}
	c := &child{cmd: cmd, in: in}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("start %s: it did not say where it listens: %w", kind, err)
	}
	c.addr = strings.TrimSpace(line)
	return c, nil
}

// process is how it is watched.
func (c *child) process() process { return process{pid: c.cmd.Process.Pid, name: childCommand} }

// stop ends the child and waits for it.
func (c *child) stop() {
	_ = c.in.Close()
	_ = c.cmd.Wait()
}
