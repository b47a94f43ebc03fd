package gateway

import (
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
)

// Whatever was subscribed to before wait gets what is published after it, and
// many who wait share the server's answers.
func TestFlushes(t *testing.T) {
	srv := startNATS(t, -1)
	nc, publisher := dialNATS(t, srv), dialNATS(t, srv)
	f := &flushes{nc: nc}
	const n = 500
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			subject := fmt.Sprint("subject.", i)
			got := make(chan *nats.Msg, 1)
			if _, err := nc.ChanSubscribe(subject, got); err != nil {
				t.Error(err)
				return
			}
			if err := f.wait(t.Context()); err != nil {
				t.Error(err)
				return
			}
			if err := publisher.Publish(subject, nil); err != nil {
				t.Error(err)
				return
			}
			<-got
		})
	}
	all.Wait()
	eventually(t, "nobody waits", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return !f.running && f.next == nil
	})
	nc.Close()
	if err := f.wait(t.Context()); err == nil {
		t.Fatal("a closed connection confirms")
	}
}
