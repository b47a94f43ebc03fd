package main

import (
	"context"
	"fmt"
	"slices"
)

// devicesOf makes a device of each person, at the person's gateway.
func devicesOf(s *stage, r *run, people []*account) map[*account]*device {
	devices := make(map[*account]*device, len(people))
	for i, p := range people {
		devices[p] = r.device(s.town.urls[i%len(s.town.urls)], p.token)
	}
	return devices
}

// addRoom makes the room count, for these people's devices.
func addRoom(r *run, id string, devices map[*account]*device, people []*account) {
	members := make([]*device, len(people))
	for i, p := range people {
		members[i] = devices[p]
	}
	r.room(id, members...)
}

// prepareGroups spreads all over groups.
func prepareGroups(ctx context.Context, s *stage) (*run, error) {
	if s.members < 2 || s.conns < s.members {
		return nil, fmt.Errorf("groups of %d, of %d people: -members is at least 2, -conns as many", s.members, s.conns)
	}
	people, err := s.town.citizens(ctx, s.conns)
	if err != nil {
		return nil, err
	}
	lists := slices.Collect(slices.Chunk(people, s.members))
	if last := len(lists) - 1; len(lists[last]) < 2 { // nobody is alone
		lists[last-1], lists = people[(last-1)*s.members:], lists[:last]
	}
	return groupsOf(ctx, s, people, lists)
}

// prepareHotRoom puts all into one group.
func prepareHotRoom(ctx context.Context, s *stage) (*run, error) {
	people, err := s.town.citizens(ctx, s.members)
	if err != nil {
		return nil, err
	}
	return groupsOf(ctx, s, people, [][]*account{people})
}

func groupsOf(ctx context.Context, s *stage, people []*account, lists [][]*account) (*run, error) {
	ids, err := s.town.groups(ctx, lists)
	if err != nil {
		return nil, err
	}
	r := newRun(s.text)
	devices := devicesOf(s, r, people)
	for i, list := range lists {
		addRoom(r, ids[i], devices, list)
	}
	return r, nil
}

// preparePairs makes direct rooms.
func preparePairs(ctx context.Context, s *stage) (*run, error) {
	people, err := s.town.citizens(ctx, s.conns/2*2)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(people)/2)
	err = s.town.each(ctx, len(ids), calling, "pairs", func(ctx context.Context, i int) (err error) {
		ids[i], err = s.town.befriend(ctx, people[2*i], people[2*i+1])
		return err
	})
	if err != nil {
		return nil, err
	}
	r := newRun(s.text)
	devices := devicesOf(s, r, people)
	for i, id := range ids {
		addRoom(r, id, devices, people[2*i:2*i+2])
	}
	return r, nil
}

// prepareRing has everyone in three rooms: a direct one with each neighbour
// in a ring, and a group of three.
func prepareRing(ctx context.Context, s *stage) (*run, error) {
	people, err := s.town.citizens(ctx, max(3, s.conns/3*3))
	if err != nil {
		return nil, err
	}
	r := newRun(s.text)
	devices := devicesOf(s, r, people)
	ids := make([]string, len(people))
	err = s.town.each(ctx, len(people), calling, "neighbours", func(ctx context.Context, i int) (err error) {
		ids[i], err = s.town.befriend(ctx, people[i], people[(i+1)%len(people)])
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		addRoom(r, id, devices, []*account{people[i], people[(i+1)%len(people)]})
	}
	var lists [][]*account
	for three := range slices.Chunk(people, 3) { // the one in the middle knows both
		lists = append(lists, []*account{three[1], three[0], three[2]})
	}
	groups, err := s.town.groups(ctx, lists)
	if err != nil {
		return nil, err
	}
	for i, list := range lists {
		addRoom(r, groups[i], devices, list)
	}
	return r, nil
}
