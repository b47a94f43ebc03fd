package faults

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/social"
)

// run is one fault run.
type run struct {
	t      testing.TB
	o      Options
	world  *World
	cast   *Cast
	crowd  *Crowd
	ledger *Ledger
	guard  *Guard
	chat   chat.Store
	social social.Store
	report *Report
	// rebuilt is what the events say; nil until they have been read.
	rebuilt *Rebuilt

	ctx     context.Context // ends with the run, or its first failure
	end     context.CancelCauseFunc
	devices sync.WaitGroup
	hangUp  context.CancelFunc // has devices close
}

// Run starts a Parley, lets people talk in it while faults strike, waits until
// all has come to rest, and compares. What could not even be set up fails the
// test; everything else is in the report.
func Run(t testing.TB, o Options) *Report {
	t.Helper()
	r := &run{t: t, o: o, ledger: &Ledger{}, report: &Report{
		Seed: o.Seed, Started: time.Now().UTC(), Versions: versions(), People: o.People, Rooms: o.Rooms, Gateways: o.Gateways,
	}}
	r.ctx, r.end = context.WithCancelCause(t.Context())
	defer r.end(nil)
	r.setUp()
	if r.disturb() {
		r.settle()
	}
	r.comeDown()
	if err := r.compare(t.Context()); err != nil {
		r.fail(err)
	}
	if err := context.Cause(r.ctx); err != nil {
		r.report.Failure = err.Error()
	}
	r.report.judge()
	return r.report
}

// clientLog is where clients write.
func (r *run) clientLog() *slog.Logger {
	if r.o.Logs == "" {
		return slog.New(slog.DiscardHandler)
	}
	file, err := os.Create(filepath.Join(r.o.Logs, "clients.log"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = file.Close() })
	return slog.New(slog.NewJSONHandler(file, nil))
}

// logf says what happens, and when.
func (r *run) logf(format string, args ...any) {
	r.t.Helper()
	r.t.Logf("%6.1fs  "+format, append([]any{time.Since(r.report.Started).Seconds()}, args...)...)
}

// fail ends the run; the first reason counts.
func (r *run) fail(err error) {
	if r.ctx.Err() == nil {
		r.logf("the run ends: %v", err)
	}
	r.end(err)
}

func (r *run) setUp() {
	t, o := r.t, r.o
	r.world = NewWorld(t, o)
	r.logf("Parley runs")
	plans := PlanRooms(rand.New(rand.NewPCG(o.Seed, 0)), o.People, o.Rooms)
	r.cast = NewCast(t, r.world, o.People, plans)
	r.logf("%d people have %d rooms", o.People, o.Rooms)
	var err error
	if r.crowd, err = NewCrowd(r.ctx, r.cast, o, r.ledger, r.clientLog()); err != nil {
		t.Fatal(err)
	}
	if r.chat, err = chat.OpenStore(r.ctx, r.world.Stores[contract.Chat]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.chat.Close() })
	if r.social, err = social.OpenStore(r.ctx, r.world.Stores[contract.Social]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.social.Close() })
	r.guard = NewGuard(r.ctx, r.fail)
	for _, p := range r.world.All() {
		r.guard.Watch(p)
	}
	var listening context.Context
	listening, r.hangUp = context.WithCancel(r.ctx)
	for _, d := range r.crowd.Devices() {
		r.devices.Go(func() { // ended by hangUp
			if err := d.run(listening); err != nil {
				r.fail(err)
			}
		})
	}
	for _, d := range r.crowd.Devices() {
		if _, err := d.live(r.ctx); err != nil {
			t.Fatalf("%s does not connect: %v", d.Name, context.Cause(r.ctx))
		}
	}
	r.logf("%d devices are connected", len(r.crowd.Devices()))
}

// disturb has people talk and faults strike, for the time of the run. When
// every fault has ended it reports whether the run goes on.
func (r *run) disturb() bool {
	faults := r.o.Faults
	if faults == nil {
		faults = Schedule(r.o.Seed, r.world.Deck(r.o), r.o.Pace, r.o.Duration)
	}
	started := time.Now()
	talking, hush := context.WithTimeout(r.ctx, r.o.Duration)
	defer hush()
	lasting, giveUp := context.WithTimeout(r.ctx, r.o.Duration+r.o.Settle)
	r.t.Cleanup(giveUp)
	r.crowd.Talk(talking, lasting, r.fail)
	r.crowd.Churn(talking, lasting)
	busy := r.cast.Venues[0]
	sloth := &Sloth{tokens: r.cast.Users[busy.Owner].session, urls: r.world.direct, roomID: busy.ID}
	var sits sync.WaitGroup
	sits.Go(func() { sloth.Run(talking) }) // ended by talking
	injector := NewInjector(r.world, r.guard, r.logf)
	if err := injector.Run(r.ctx, faults); err != nil {
		r.fail(err)
	}
	<-talking.Done()
	sits.Wait()
	r.report.Duration = time.Since(started).Seconds()
	r.report.Faults = injector.Counts()
	r.logf("the last fault has ended; who never reads connected %d times, and was dropped %d times", sloth.Connects, sloth.Dropped)
	return r.ctx.Err() == nil
}

// settle waits until every send has its answer and every device has
// everything.
func (r *run) settle() {
	started := time.Now()
	defer func() { r.report.Settled = time.Since(started).Seconds() }()
	for deadline := started.Add(r.o.Settle); r.ctx.Err() == nil; sleep(r.ctx, 200*time.Millisecond) {
		if r.o.Until != nil {
			if err := r.compare(r.ctx); err != nil {
				r.fail(err)
			} else if r.o.Until(r.report.Findings) {
				return
			}
		}
		behind, err := r.behind(r.ctx)
		switch {
		case err != nil:
			r.fail(err)
		case behind == "":
			r.crowd.Wait() // nothing is in hand
			r.logf("everything has come to rest")
			return
		case time.Now().After(deadline):
			r.fail(fmt.Errorf("not at rest after %v: %s", r.o.Settle, behind))
		}
	}
}

// behind says what is in hand, or which device lacks the last message of a
// room; empty: nothing and none.
func (r *run) behind(ctx context.Context) (string, error) {
	if n := r.crowd.Busy(); n > 0 {
		return fmt.Sprintf("%d calls have no answer yet", n), nil
	}
	for _, v := range r.cast.Venues {
		tails, err := r.chat.Tails(ctx, []string{v.ID})
		if err != nil {
			return "", err
		}
		members, err := r.members(ctx, v.ID)
		if err != nil {
			return "", err
		}
		for _, i := range v.everyone() {
			u := r.cast.Users[i]
			for _, d := range r.crowd.devices[u] {
				if last := r.ledger.Last(d.Name, v.ID); last < tails[v.ID] && members[u.ID] <= tails[v.ID] {
					return fmt.Sprintf("%s is at seq %d of %d in room %s", d.Name, last, tails[v.ID], v.ID), nil
				}
			}
		}
	}
	return "", nil
}

// comeDown compares the events with the stores, which needs everything to
// run, has all devices close, and stops all processes, so that nothing changes
// any more.
func (r *run) comeDown() {
	if err := r.events(r.t.Context()); err != nil {
		r.fail(err)
	}
	var err error
	if r.report.Closes, err = Closes(r.t.Context(), r.world.Gateways); err != nil {
		r.fail(err)
	}
	r.hangUp()
	r.devices.Wait()
	if err := r.world.stop(r.t.Context(), r.guard); err != nil {
		r.fail(err)
	}
	for _, d := range r.crowd.Devices() {
		s := d.Stats()
		r.report.Connects += s.Connects
		r.report.Retries += s.Retries
		r.report.Repairs += s.Repairs
		r.report.Fetched += s.Fetched
		r.report.LongestOutage = max(r.report.LongestOutage, s.LongestOutage.Seconds())
	}
	r.report.Refusals = maps.Clone(r.crowd.trips)
}
