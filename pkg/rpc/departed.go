package rpc

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
)

// departedFor is how long a replica that has left is remembered: longer than
// anyone's list of replicas may still name it.
const departedFor = time.Minute

// departed are the replicas that said in an answer that they go. The zero
// value is usable.
type departed struct {
	mu   sync.RWMutex
	when map[string]time.Time // by replica
}

func (d *departed) has(replica string) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	_, gone := d.when[replica]
	return gone
}

// note reads an answer.
func (d *departed) note(reply *nats.Msg) {
	if reply.Header == nil {
		return
	}
	replica := reply.Header.Get(contract.HeaderLeaving)
	if !contract.ValidID(replica) || d.has(replica) {
		return
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.when == nil {
		d.when = make(map[string]time.Time)
	}
	for id, at := range d.when {
		if now.Sub(at) > departedFor {
			delete(d.when, id)
		}
	}
	d.when[replica] = now
}
