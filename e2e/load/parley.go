package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	startWait = time.Minute
	stopWait  = 20 * time.Second
)

// size is how many processes of a kind there are; the others are one each.
type size struct {
	gateways, chats int
}

// parleyEnv lifts the limits that protect a server from one address and one
// user: here, all come from one, and each sends as fast as it can.
var parleyEnv = []string{
	"LOG_LEVEL=error",
	"PPROF=true",         // costs nothing until it is asked for
	"AUTH_ACCESS_TTL=2h", // longer than it takes to register ten thousand
	"AUTH_HASH_WAIT=1m",
	"AUTH_ADDRESS_CODES_PER_HOUR=1000000",
	"AUTH_CODES_PER_MINUTE=100",
	"AUTH_CODES_PER_HOUR=100",
	"AUTH_ADDRESS_FAILURES=1000000",
	"GATEWAY_SENDS_PER_SECOND=100000",
	"GATEWAY_SEND_BURST=100000",
	"GATEWAY_CALLS_PER_SECOND=100000",
	"GATEWAY_CALL_BURST=100000",
	"GATEWAY_OPENS_PER_MINUTE=1000000",
	"GATEWAY_OPEN_BURST=100000",
	"GATEWAY_GUESSES_PER_MINUTE=1000000",
	"GATEWAY_GUESS_BURST=100000",
	"GATEWAY_SEARCHES_PER_MINUTE=1000000",
	"GATEWAY_SEARCH_BURST=100000",
	"GATEWAY_FRIENDS_PER_MINUTE=1000000",
	"GATEWAY_FRIEND_BURST=100000",
	"GATEWAY_GROUPS_PER_MINUTE=1000000",
	"GATEWAY_GROUP_BURST=100000",
	"GATEWAY_JOINS_PER_MINUTE=1000000",
	"GATEWAY_JOIN_BURST=100000",
	"GATEWAY_CONNECTS_PER_MINUTE=1000000",
	"GATEWAY_CONNECT_BURST=100000",
	"GATEWAY_FRAMES_PER_SECOND=100000",
	"GATEWAY_FRAME_BURST=100000",
}

// instance is a started Parley: each part a process of its own, SQLite in a
// directory that ends with it; replicas of chat share its file.
type instance struct {
	dir   string
	urls  []string
	ops   map[string]string // each part's operations port
	parts []*part
}

// part is one of its processes.
type part struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has been reaped
}

// startParley returns when all parts are ready.
func startParley(ctx context.Context, binary, smtp string, n size) (*instance, error) {
	dir, err := os.MkdirTemp("", "parley-load-")
	if err != nil {
		return nil, fmt.Errorf("start parley: %w", err)
	}
	p := &instance{dir: dir, ops: map[string]string{}}
	shared := []string{"nats", "redis", "auth", "social"}
	addrs, err := freeAddrs(ctx, 2+len(shared)+n.chats+2*n.gateways)
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("start parley: %w", err)
	}
	common := []string{"-data", dir, "-nats-addr", addrs[0], "-redis-addr", addrs[1]}
	addrs = addrs[2:]
	env := append(append(os.Environ(), parleyEnv...), "SMTP_URL="+smtp, processors(len(shared)+n.chats+n.gateways))
	next := func() (addr string) {
		addr, addrs = addrs[0], addrs[1:]
		return addr
	}
	start := func(name, only string, more ...string) error {
		p.ops[name] = next()
		args := append(slices.Concat(common, more), "-ops-addr", p.ops[name], "-only", only)
		if err := p.start(ctx, name, binary, args, env); err != nil {
			p.stop()
			return err
		}
		return nil
	}
	// The servers first, then the services, then those who ask them.
	for _, only := range shared {
		if err := start(only, only); err != nil {
			return nil, err
		}
	}
	for i := range n.chats {
		if err := start(numbered("chat", i), "chat"); err != nil {
			return nil, err
		}
	}
	for i := range n.gateways {
		addr := next()
		if err := start(numbered("gateway", i), "gateway", "-addr", addr); err != nil {
			return nil, err
		}
		p.urls = append(p.urls, "http://"+addr)
	}
	return p, nil
}

// processors gives each of the parts its share of the machine's, as the limits
// of containers would: where all of them schedule on all processors, they keep
// each other from work, and cost a quarter more.
func processors(parts int) string {
	return fmt.Sprintf("GOMAXPROCS=%d", max(1, 2*runtime.NumCPU()/parts))
}

func numbered(part string, i int) string { return fmt.Sprintf("%s-%d", part, i) }

// start runs a part until it says that it is ready.
func (p *instance) start(ctx context.Context, name, binary string, args, env []string) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), binary, args...) //nolint:gosec // G702: whoever starts load names the binary; ended by stop
	cmd.Env = env
	// Ctrl-C is for us; stop tells the parts.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, in, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, errors.Join(err, in.Close(), out.Close()))
	}
	_ = in.Close()
	started := &part{name: name, cmd: cmd, done: make(chan struct{})}
	p.parts = append(p.parts, started)
	ready := make(chan string, 1)
	go func() { // ends with the process's output
		defer close(started.done)
		ready <- awaitReady(out)
		_, _ = io.Copy(os.Stderr, out) // warnings
		_ = cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	select {
	case said := <-ready:
		if said != "" {
			return fmt.Errorf("start %s: it ended and said: %s", name, said)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("start %s: %w", name, ctx.Err())
	}
}

// awaitReady reads until the line that tells it; else it returns what was
// said until the end.
func awaitReady(out io.Reader) string {
	var said strings.Builder
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if strings.HasPrefix(line, "ready") {
			return ""
		}
		said.WriteString(line)
		if err != nil {
			return said.String() + "nothing more"
		}
	}
}

// processes lists the parts.
func (p *instance) processes() []process {
	var list []process
	for _, part := range p.parts {
		list = append(list, process{pid: part.cmd.Process.Pid, name: part.name})
	}
	return list
}

// stop ends the parts, the last started first, and removes their data.
func (p *instance) stop() {
	for i := len(p.parts) - 1; i >= 0; i-- {
		part := p.parts[i]
		_ = part.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-part.done:
		case <-time.After(stopWait):
			_ = part.cmd.Process.Kill()
			<-part.done
		}
	}
	_ = os.RemoveAll(p.dir)
}

// freeAddrs are loopback addresses that were free a moment ago.
func freeAddrs(ctx context.Context, n int) ([]string, error) {
	var addrs []string
	for range n {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}
