package faults

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/system"
)

// echo answers each line with itself, and tells of connections that end.
func echo(t *testing.T) (addr string, ended chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	ended = make(chan struct{}, 100)
	go func() { // ended by closing the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // ended by the connection
				_, _ = io.Copy(c, c)
				_ = c.Close()
				ended <- struct{}{}
			}()
		}
	}()
	return l.Addr().String(), ended
}

func testProxy(t *testing.T) (p *Proxy, ended chan struct{}) {
	t.Helper()
	addr, ended := echo(t)
	n := NewNet(func() string { return system.FreeAddr(t) })
	t.Cleanup(n.Close)
	p, err := n.Proxy("a", "b", addr)
	if err != nil {
		t.Fatal(err)
	}
	return p, ended
}

type line struct {
	net.Conn
	read *bufio.Reader
}

func dial(t *testing.T, p *Proxy) line {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return line{c, bufio.NewReader(c)}
}

// says sends a word and returns what comes back within the time.
func (l line) says(word string, within time.Duration) (string, error) {
	if _, err := l.Write([]byte(word + "\n")); err != nil {
		return "", err
	}
	_ = l.SetReadDeadline(time.Now().Add(within))
	return l.read.ReadString('\n')
}

func (l line) passes(t *testing.T, word string) {
	t.Helper()
	if got, err := l.says(word, 10*time.Second); err != nil || got != word+"\n" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func (l line) silent(t *testing.T) {
	t.Helper()
	if got, err := l.says("lost", 100*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %q, %v", got, err)
	}
}

// cut waits until the connection is known to have ended.
func (l line) cut(t *testing.T) {
	t.Helper()
	_ = l.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(io.Discard, l.read); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the connection still stands")
	}
}

func TestProxy(t *testing.T) {
	mend := func(t *testing.T, p *Proxy) {
		t.Helper()
		if err := p.Mend(t.Context()); err != nil {
			t.Fatal(err)
		}
		dial(t, p).passes(t, "mended")
	}
	t.Run("refuses", func(t *testing.T) {
		p, ended := testProxy(t)
		c := dial(t, p)
		c.passes(t, "before")
		_ = p.Refuse()
		c.cut(t)
		<-ended
		if _, err := net.Dial("tcp", p.Addr()); err == nil {
			t.Fatal("connected")
		}
		mend(t, p)
	})
	for name, harm := range map[string]func(*Proxy) error{"silence": (*Proxy).Silence, "deafen": (*Proxy).Deafen} {
		t.Run(name, func(t *testing.T) {
			p, ended := testProxy(t)
			before := dial(t, p)
			before.passes(t, "before")
			if err := harm(p); err != nil {
				t.Fatal(err)
			}
			during := dial(t, p)
			before.silent(t)
			during.silent(t)
			_ = during.Close()
			<-ended // who closes is heard
			mend(t, p)
			before.cut(t)
			<-ended
		})
	}
	t.Run("half open", func(t *testing.T) {
		p, ended := testProxy(t)
		gone, stays := dial(t, p), dial(t, p)
		gone.passes(t, "before")
		stays.passes(t, "before")
		if err := p.HalfOpen(); err != nil {
			t.Fatal(err)
		}
		stays.silent(t)
		_ = gone.Close()
		select {
		case <-ended:
			t.Fatal("the other side heard of it")
		case <-time.After(100 * time.Millisecond):
		}
		mend(t, p)
		stays.cut(t)
		<-ended
		<-ended
	})
	t.Run("slow", func(t *testing.T) {
		p, _ := testProxy(t)
		c := dial(t, p)
		c.passes(t, "before")
		if err := p.Slow(150 * time.Millisecond); err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		c.passes(t, "slow")
		if took := time.Since(started); took < 300*time.Millisecond {
			t.Fatalf("took %v", took)
		}
		mend(t, p)
		c.passes(t, "after") // nothing was lost
	})
}
