package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
)

// TestEchoBot leaves the example bot running through a rolling restart of
// everything, itself included: it answers every message once.
func TestEchoBot(t *testing.T) {
	s := system.Start(t, system.Options{Env: []string{"GATEWAY_DRAIN_TIME=500ms"}})
	list := people(t, s, "ann", "echo")
	ann, echo := list[0], list[1]
	room := ann.Befriend(t, echo)
	b := startBot(t, s, echo)
	c := dialClient(t, s, ann, client.Options{FromFirst: true})
	ctx, cancel := context.WithTimeout(t.Context(), 8*patience)
	defer cancel()

	// The bot hears what comes after its first connect: the first that it
	// answers is where counting begins.
	first := greet(ctx, t, c, room, echo.ID)
	var sent atomic.Int64
	talking, stop := context.WithCancel(ctx)
	talked := make(chan struct{})
	go func() { // ended by stop
		defer close(talked)
		for talking.Err() == nil {
			if _, err := c.Send(ctx, room, fmt.Sprintf("message %d", sent.Load())); err != nil {
				t.Errorf("send: %v", err)
				return
			}
			sent.Add(1)
			select {
			case <-time.After(20 * time.Millisecond):
			case <-talking.Done():
			}
		}
	}()
	hush := func() { stop(); <-talked }
	defer func() { cancel(); hush() }() // if the test ends before it should
	for i, p := range s.All() {
		before := sent.Load()
		p.Stop(t)
		p.Restart(t)
		eventually(t, "the talk goes on after the restart of "+p.Name, func() bool { return sent.Load() > before+3 })
		if i == len(s.All())/2 {
			b.end(syscall.SIGKILL) // between an answer and its cursor, perhaps
			b.start()
		}
	}
	b.end(syscall.SIGTERM)
	b.start()
	hush()

	eventually(t, "every message is answered", func() bool {
		asked, answers := dialogue(ann.History(t, room), first, ann.ID)
		return len(answers) >= len(asked)
	})
	asked, answers := dialogue(ann.History(t, room), first, ann.ID)
	said := map[string][]string{} // by client_id
	for _, m := range answers {
		said[m.ClientID] = append(said[m.ClientID], m.Content.Text)
	}
	for _, m := range asked {
		if got := said["echo-"+m.ID]; len(got) != 1 || got[0] != m.Content.Text {
			t.Errorf("message %d, %q, is answered %q", m.Seq, m.Content.Text, got)
		}
	}
	if len(answers) != len(asked) || int64(len(asked)) < sent.Load() {
		t.Errorf("%d sent, %d asked, %d answers", sent.Load(), len(asked), len(answers))
	}
	t.Logf("%d messages, each answered once; ann's client: %+v", len(asked), c.Stats())
}

// greet says hello until there is an answer, and returns the seq of the first
// message that was answered.
func greet(ctx context.Context, t *testing.T, c *client.Client, room, from string) int64 {
	t.Helper()
	greeting, stop := context.WithCancel(ctx)
	greeted := make(chan struct{})
	go func() { // ended by stop
		defer close(greeted)
		for n := 0; greeting.Err() == nil; n++ {
			if _, err := c.Send(ctx, room, fmt.Sprintf("hello %d", n)); err != nil {
				t.Errorf("send: %v", err)
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-greeting.Done():
			}
		}
	}()
	defer func() { stop(); <-greeted }()
	said := map[string]int64{}
	for {
		event, err := c.Next(ctx)
		if err != nil {
			t.Fatalf("no answer: %v", err)
		}
		m, ok := event.(*client.Message)
		if !ok || m.RoomID != room {
			continue
		}
		if m.SenderID == from {
			return said[m.ClientID]
		}
		said["echo-"+m.ID] = m.Seq
	}
}

// dialogue splits a history into what one person said, from a seq on, and what
// the others answered.
func dialogue(log []contract.Message, from int64, asker string) (asked, answers []contract.Message) {
	for _, m := range log {
		switch {
		case m.SenderID != asker:
			answers = append(answers, m)
		case m.Seq >= from:
			asked = append(asked, m)
		}
	}
	return asked, answers
}

// bot is the example as a process.
type bot struct {
	t      *testing.T
	binary string
	env    []string
	cmd    *exec.Cmd
}

func startBot(t *testing.T, s *system.System, p *person.Person) *bot {
	t.Helper()
	b := &bot{
		t: t, binary: system.Build(t, "github.com/parley-im/parley/pkg/client/examples/echobot"),
		env: []string{
			"PARLEY_GATEWAYS=" + strings.Join(s.URLs, ","), "PARLEY_ACCOUNT=" + p.Account, "PARLEY_PASSWORD=" + person.Password,
			"PARLEY_CURSORS=" + filepath.Join(t.TempDir(), "cursors.json"),
		},
	}
	b.start()
	t.Cleanup(func() { b.end(syscall.SIGTERM) })
	return b
}

func (b *bot) start() {
	b.t.Helper()
	b.cmd = exec.Command(b.binary)
	b.cmd.Env = append(os.Environ(), b.env...)
	b.cmd.Stdout, b.cmd.Stderr = os.Stderr, os.Stderr
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
}

// end sends the signal and waits. A bot that had ended by itself is a failure.
func (b *bot) end(s syscall.Signal) {
	b.t.Helper()
	if err := b.cmd.Process.Signal(s); err != nil {
		b.t.Errorf("the bot had ended: %v", err)
	}
	err := b.cmd.Wait()
	if s == syscall.SIGTERM && err != nil {
		b.t.Errorf("the bot ended with %v", err)
	}
}

// TestEchoBot_tells_what_is_wrong with its settings, and of a gateway that it
// cannot reach.
func TestEchoBot_tells_what_is_wrong(t *testing.T) {
	binary := system.Build(t, "github.com/parley-im/parley/pkg/client/examples/echobot")
	right := map[string]string{
		"PARLEY_GATEWAYS": "http://127.0.0.1:1", "PARLEY_ACCOUNT": "echo", "PARLEY_PASSWORD": "secret",
		"PARLEY_CURSORS": filepath.Join(t.TempDir(), "cursors.json"),
	}
	for name, c := range map[string]struct {
		set, to string
		want    []string
	}{
		"no gateway":          {"PARLEY_GATEWAYS", "", []string{"PARLEY_GATEWAYS", "http://127.0.0.1:8080"}},
		"no scheme":           {"PARLEY_GATEWAYS", "127.0.0.1:8080", []string{"PARLEY_GATEWAYS", "http://127.0.0.1:8080"}},
		"no account":          {"PARLEY_ACCOUNT", "", []string{"PARLEY_ACCOUNT is not set"}},
		"no password":         {"PARLEY_PASSWORD", "", []string{"PARLEY_PASSWORD is not set"}},
		"nobody at that port": {"PARLEY_GATEWAYS", "http://127.0.0.1:1", []string{"not connected", "http://127.0.0.1:1", "refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			defer stop()
			cmd := exec.CommandContext(ctx, binary)
			for k, v := range right {
				if k == c.set {
					v = c.to
				}
				cmd.Env = append(cmd.Env, k+"="+v)
			}
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(stderr)
			if !lines.Scan() {
				t.Fatal("it says nothing")
			}
			for _, want := range c.want {
				if !strings.Contains(lines.Text(), want) {
					t.Errorf("it says %q, and not %q", lines.Text(), want)
				}
			}
			stop() // one that goes on trying
			_ = cmd.Wait()
		})
	}
}
