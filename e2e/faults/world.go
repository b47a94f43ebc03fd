package faults

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parley-im/parley/e2e/system"
)

// faultyPart is the package of the services and gateways that take orders.
const faultyPart = "github.com/parley-im/parley/e2e/faults/faultypart"

// World is a running Parley in which each process reaches each server by a
// proxy of its own, and people reach gateways by proxies.
type World struct {
	*system.System
	Net       *Net
	processes map[string]*system.Process
	direct    []string // base URLs of the gateways themselves
}

// NewWorld starts one and stops it when the test ends.
func NewWorld(t testing.TB, o Options) *World {
	t.Helper()
	w := &World{Net: NewNet(func() string { return system.FreeAddr(t) }), processes: map[string]*system.Process{}}
	t.Cleanup(w.Net.Close)
	faulty := system.Build(t, faultyPart)
	w.System = system.Start(t, system.Options{
		Replicas: o.Replicas,
		Gateways: o.Gateways,
		Env:      o.env(),
		Programs: map[string]string{"auth": faulty, "social": faulty, "chat": faulty, "gateway": faulty},
		Logs:     o.Logs,
		Via: func(from, to, addr string) string {
			if from == "clients" {
				w.direct = append(w.direct, "http://"+addr)
			}
			if from == "nats" || from == "redis" {
				return addr // it is the server
			}
			p, err := w.Net.Proxy(from, to, addr)
			if err != nil {
				t.Fatal(err)
			}
			return p.Addr()
		},
	})
	for _, p := range w.All() {
		w.processes[p.Name] = p
	}
	return w
}

// Deck has a card for each kind of fault and sort of target.
func (w *World) Deck(o Options) []Card {
	var deck []Card
	sorts := [][]*system.Process{w.Auth, w.Social, w.Chat, w.Gateways, {w.NATS}, {w.Redis}}
	for _, kind := range []Kind{Kill, Pause} {
		for _, sort := range sorts {
			deck = append(deck, Card{kind, names(sort)})
		}
	}
	for _, kind := range []Kind{Refuse, Silence, Deafen, HalfOpen, Slow} {
		deck = append(deck,
			Card{kind, w.links(">nats", w.Auth, w.Social, w.Chat)},
			Card{kind, w.links(">nats", w.Gateways)},
			Card{kind, w.links(">redis", w.Auth, w.Gateways)},
			Card{kind, w.links(">mongo", w.Auth, w.Social, w.Chat)},
			Card{kind, w.fronts()})
	}
	for _, kind := range []Kind{StoreLost, StoreFail, StoreStall, StoreReadOnly} {
		deck = append(deck, Card{kind, names(w.Chat)})
	}
	for _, sort := range [][]*system.Process{w.Auth, w.Social, w.Chat, w.Gateways} {
		deck = append(deck, Card{ClockJump, names(sort)})
	}
	if system.CanFillDisk {
		for _, sort := range [][]*system.Process{w.Auth, w.Social, w.Chat, {w.NATS}} {
			deck = append(deck, Card{DiskFull, names(sort)})
		}
	}
	if o.Restart != "" {
		deck = append(deck, Card{Command, []string{o.Restart}})
	}
	return slices.DeleteFunc(deck, func(c Card) bool { return len(c.Targets) == 0 })
}

func names(processes []*system.Process) []string {
	list := make([]string, len(processes))
	for i, p := range processes {
		list[i] = p.Name
	}
	return list
}

// links are the proxies of the processes whose name ends so.
func (w *World) links(suffix string, sorts ...[]*system.Process) []string {
	var list []string
	for _, sort := range sorts {
		for _, p := range sort {
			if w.Net.Named(p.Name+suffix) != nil {
				list = append(list, p.Name+suffix)
			}
		}
	}
	return list
}

// fronts are the proxies before the gateways.
func (w *World) fronts() []string {
	list := names(w.Gateways)
	for i, name := range list {
		list[i] = "clients>" + name
	}
	return list
}

// stop ends all processes as an operator would: first gateways, then the
// services, then what they rest on.
func (w *World) stop(ctx context.Context, guard *Guard) error {
	var errs []error
	for _, tier := range [][]*system.Process{w.Gateways, slices.Concat(w.Auth, w.Social, w.Chat), {w.NATS, w.Redis}} {
		ended := make([]error, len(tier))
		var wg sync.WaitGroup
		for i, p := range tier {
			guard.Expect(p)
			wg.Go(func() { ended[i] = p.End(ctx) }) // ended by its time
		}
		wg.Wait()
		errs = append(errs, ended...)
	}
	return errors.Join(errs...)
}

// lastLines is the end of what a process wrote.
func lastLines(p *system.Process, n int) string {
	lines := strings.Split(strings.TrimSpace(p.Log()), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
