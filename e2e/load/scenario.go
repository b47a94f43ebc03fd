package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// scenario is a way to use Parley.
type scenario struct {
	name  string
	about string
	// What the flags are when they are not given.
	conns, members, senders int
	rate                    float64
	warmUp                  time.Duration
	half                    bool // a closed loop is followed by an open one at half its rate

	// prepare makes the people, rooms and devices.
	prepare func(context.Context, *stage) (*run, error)
	// drive has the devices do what they do until ctx ends.
	drive func(context.Context, *stage, *run) error
	// floor measures the least that this must cost; nil: there is none.
	floor func(context.Context, *stage) (*floor, error)
}

// scenarios lists them in the order in which they are run.
func scenarios() []scenario {
	return []scenario{
		{
			name: "persist", about: "groups of 5, everyone sends; then the same at half the rate",
			conns: 100, members: 5, senders: 100, warmUp: time.Second, half: true,
			prepare: prepareGroups, drive: talk, floor: persistFloor,
		},
		{
			name: "hotroom", about: "one group, few send",
			conns: 100, members: 100, senders: 20, warmUp: time.Second,
			prepare: prepareHotRoom, drive: talk, floor: broadcastFloor(byMembers, talk),
		},
		{
			name: "direct", about: "pairs, both send",
			conns: 1000, members: 2, senders: 1000, warmUp: time.Second,
			prepare: preparePairs, drive: talk, floor: persistFloor,
		},
		{
			name: "idle", about: "connected, in three rooms each, nobody sends",
			conns: 1000, members: 3, warmUp: 0,
			prepare: prepareRing, drive: rest, floor: broadcastFloor(byConns, rest),
		},
		{
			name: "storm", about: "all reconnect at once and catch up",
			conns: 1000, members: 10, warmUp: 0,
			prepare: prepareGroups, drive: storms, floor: broadcastFloor(byConns, bareStorm),
		},
		{
			name: "mixed", about: "an open loop of sends, with reads, history and reconnects",
			conns: 100, members: 5, senders: 100, rate: 500, warmUp: time.Second,
			prepare: prepareGroups, drive: mixed, floor: commitFloor,
		},
	}
}

// pick finds scenarios by their names, with commas; "all" is all.
func pick(names string) ([]scenario, error) {
	if names == "all" {
		return scenarios(), nil
	}
	var picked []scenario
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(scenarios(), func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-scenario: there is no %q, there are %s", name, strings.Join(scenarioNames(), ", "))
		}
		picked = append(picked, scenarios()[i])
	}
	return picked, nil
}

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios() {
		names = append(names, s.name)
	}
	return names
}
