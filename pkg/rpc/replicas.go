package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/parley-im/parley/pkg/contract"
)

// replicasWait is how long Replicas listens unless told otherwise.
const replicasWait = 250 * time.Millisecond

// Replicas lists the replicas of a service that live, sorted by id, for use
// with [To]. It asks micro ($SRV.PING.<service>) and gathers answers for
// wait, 0 meaning 250 ms; only when there is nobody at all does it know so
// sooner. A replica that is slower than wait, or starts and stops meanwhile,
// may be missing or listed in vain, which To makes up for.
func Replicas(ctx context.Context, nc *nats.Conn, service contract.Service, wait time.Duration) ([]string, error) {
	if wait <= 0 {
		wait = replicasWait
	}
	subject, err := micro.ControlSubject(micro.PingVerb, string(service), "")
	if err != nil {
		return nil, fmt.Errorf("replicas of %s: %w", service, err)
	}
	before, after := newInbox(nc)
	inbox := before + string(service) + after
	answers, err := nc.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("replicas of %s: %w", service, err)
	}
	defer answers.Unsubscribe() //nolint:errcheck // only a closed connection refuses, and forgets it anyway
	if err := nc.PublishRequest(subject, inbox, nil); err != nil {
		return nil, fmt.Errorf("replicas of %s: %w", service, err)
	}
	window, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	ids, err := gather(window, answers)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		err = nil // the window has passed
	}
	if err != nil {
		return nil, fmt.Errorf("replicas of %s: %w", service, err)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// gather reads pings until ctx ends, whose error it then returns, or NATS says
// that nobody listens.
func gather(ctx context.Context, answers *nats.Subscription) ([]string, error) {
	var ids []string
	for {
		msg, err := answers.NextMsgWithContext(ctx)
		if errors.Is(err, nats.ErrNoResponders) {
			return ids, nil
		}
		if err != nil {
			return ids, err
		}
		var ping micro.Ping
		if json.Unmarshal(msg.Data, &ping) != nil {
			continue // not one of micro's
		}
		if replica := ping.Metadata[contract.MetadataReplica]; contract.ValidID(replica) {
			ids = append(ids, replica)
		}
	}
}
