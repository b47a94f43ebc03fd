// Package checkup is how a replica looks at itself and at what it depends on,
// when parleyctl doctor asks.
package checkup

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/schema"
	"github.com/parley-im/parley/pkg/telemetry"
)

// checkWait bounds one check.
const checkWait = 5 * time.Second

// Store is what is asked of a store.
type Store interface {
	// Schema is what the database has of its layout now.
	Schema(ctx context.Context) (schema.State, error)
}

// Replica is what one of a service is looked at by. All fields are required.
type Replica struct {
	Service contract.Service
	ID      string
	Now     func() time.Time
	Health  *telemetry.Health
	Store   Store
	Conn    *nats.Conn       // the service's own
	NATS    bus.Config       // by which it connected
	Stream  bus.StreamConfig // that it wants
}

// Diagnose answers diagnose: the checks of /readyz, then those that are too dear
// to be made every second.
func (r *Replica) Diagnose(ctx context.Context, _ contract.Empty) (contract.Diagnosis, error) {
	now := r.Now() // first: whoever asks compares it with when they asked
	ctx, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	parts := []func(context.Context) []contract.Check{r.health, r.store, r.stream, r.permissions}
	checks := make([][]contract.Check, len(parts))
	var all sync.WaitGroup
	for i, part := range parts {
		all.Go(func() { checks[i] = part(ctx) }) // joined below, ended by ctx
	}
	all.Wait()
	d := contract.Diagnosis{
		Service: r.Service, Replica: r.ID, Version: run.Version, Revision: telemetry.Revision(), Now: contract.NewTime(now),
	}
	for _, list := range checks {
		d.Checks = append(d.Checks, list...)
	}
	return d, nil
}

func (r *Replica) health(ctx context.Context) []contract.Check {
	var list []contract.Check
	for _, state := range r.Health.States(ctx) {
		list = append(list, check(state.Name, state.Err))
	}
	return list
}

func (r *Replica) store(ctx context.Context) []contract.Check {
	state, err := r.Store.Schema(ctx)
	if err != nil {
		return []contract.Check{check("store.schema", err), check("store.indexes", err)}
	}
	version := contract.Check{Name: "store.schema", OK: state.Steps >= state.Known, Detail: fmt.Sprintf("version %d", state.Steps)}
	if state.Steps != state.Known {
		version.Detail += fmt.Sprintf(", this program knows %d", state.Known)
	}
	indexes := contract.Check{Name: "store.indexes", OK: len(state.Missing) == 0}
	if !indexes.OK {
		indexes.Detail = "missing: " + strings.Join(state.Missing, ", ")
	}
	return []contract.Check{version, indexes}
}

func (r *Replica) stream(ctx context.Context) []contract.Check {
	return []contract.Check{check("stream", bus.CheckStream(ctx, r.Conn, r.Stream))}
}

func (r *Replica) permissions(ctx context.Context) []contract.Check {
	refused, err := bus.Refused(ctx, r.NATS, r.Service, contract.Permissions(r.Service))
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("NATS refuses: %s", strings.Join(refused, ", "))
	}
	return []contract.Check{check("permissions", err)}
}

// check is one that holds without an error.
func check(name string, err error) contract.Check {
	if err != nil {
		return contract.Check{Name: name, Detail: err.Error()}
	}
	return contract.Check{Name: name, OK: true}
}
