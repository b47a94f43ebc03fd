package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	// mendEvery is how often Mend looks at the server.
	mendEvery = time.Second
	// mendMost is the longest pause between two restarts; it doubles, because
	// each restart interrupts all connections.
	mendMost = time.Minute
	// probeBytes must fit on the disk before the server is restarted.
	probeBytes = 1 << 20
)

// Mend restarts the server, on the same port, when JetStream has stopped to
// take writes, until ctx ends. After a write error, such as a moment of full
// disk, JetStream refuses everything until it is restarted, although there is
// space again. While the directory can't be written the server is left alone:
// what needs no JetStream goes on.
func (n *NATS) Mend(ctx context.Context) error {
	pause := mendEvery
	var told string
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		broken := refusesWrites(n.current())
		if broken == nil {
			pause, told = mendEvery, ""
			continue
		}
		if err := n.probe(); err != nil {
			if told != err.Error() {
				told = err.Error()
				n.log.Error("JetStream takes no writes, and its directory can't be written yet", "err", broken, "write", err)
			}
			continue
		}
		n.log.Warn("restarting the NATS server: JetStream takes no writes after an error", "err", broken)
		if err := n.restart(); err != nil {
			n.log.Error("the NATS server does not start again", "err", err)
		}
		pause = min(2*pause, mendMost)
	}
}

// refusesWrites says why JetStream takes no writes; nil: it takes them.
func refusesWrites(srv *server.Server) error {
	health := srv.Healthz(&server.HealthzOptions{Details: true})
	if !srv.Running() {
		return errors.New("the server does not run")
	}
	for _, e := range health.Errors {
		// The server has no other sign of a stream that refuses writes.
		if e.Type == server.HealthzErrorJetStream || e.Type == server.HealthzErrorStream && strings.Contains(e.Error, "write error") {
			return errors.New(e.Error)
		}
	}
	return nil
}

// probe is nil when the directory takes a file of probeBytes.
func (n *NATS) probe() error {
	f, err := os.CreateTemp(n.dir, ".probe-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeBytes))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

func (n *NATS) restart() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server.Shutdown()
	n.server.WaitForShutdown()
	opts := n.opts
	srv, err := runNATS(&opts, n.log)
	if err != nil {
		return fmt.Errorf("restart NATS: %w", err)
	}
	n.server = srv
	return nil
}
