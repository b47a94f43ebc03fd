package embedded

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/pkg/contract"
)

// TestNATS_Mend fills the disk for a moment: the descriptor of the stream's
// block of messages is replaced by /dev/full, where each write is ENOSPC.
func TestNATS_Mend(t *testing.T) {
	cfg := natsConfig(t)
	srv := startNATS(t, cfg)
	addr := srv.Addr()
	js := jetStream(t, connectAs(t, srv, cfg.Secrets, string(contract.Auth), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond)))
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: contract.StreamName, Subjects: []string{contract.AllEvents}})
	if err != nil {
		t.Fatal(err)
	}
	publish := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := js.Publish(ctx, contract.UserRegistered.Subject(), []byte(`{}`))
		return err
	}
	if err := publish(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); refusesWrites(srv.current()) == nil; {
		fillDisk(t, cfg.Dir)
		_ = publish()
		if time.Now().After(deadline) {
			t.Fatal("the stream goes on over a full disk, or nothing reports that it does not")
		}
	}
	if err := publish(); err == nil {
		t.Fatal("a stream after a write error takes events: Mend is no longer needed")
	}

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Mend(ctx) }() // ended by cancel, joined below
	for deadline := time.Now().Add(time.Minute); publish() != nil; {
		if time.Now().After(deadline) {
			t.Error("the stream takes no events although there is space again")
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if srv.Addr() != addr {
		t.Errorf("the server is at %s, and was at %s", srv.Addr(), addr)
	}
}

// fillDisk has writes to open blocks of messages below dir fail.
func fillDisk(t *testing.T, dir string) {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		target, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name()))
		if err != nil || !strings.HasPrefix(target, dir) || filepath.Ext(target) != ".blk" {
			continue
		}
		var n int
		if _, err := fmt.Sscan(fd.Name(), &n); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Dup3(int(full.Fd()), n, syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
	}
}
