package main

import (
	"context"
	"errors"
	"testing"
)

// TestRun_storm has a message hidden: all come back, one of them never gets it.
func TestRun_storm(t *testing.T) {
	addr, stop, err := serveBroadcast(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	r := newRun(1)
	for range 3 {
		r.device("http://"+addr, func(context.Context) (string, error) { return "", nil })
	}
	to := r.room(floorRoom, r.devices...)
	if err := r.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer r.disconnect()
	nothing := func(context.Context) error { return nil }
	if took, err := r.storm(t.Context(), nothing); err != nil || took <= 0 {
		t.Fatalf("a storm in which nothing is missed: %v, %v", took, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err = r.storm(ctx, func(context.Context) error {
		to.ack(1)   // and nobody is told
		go func() { // ends with the test
			if await(t.Context(), func() bool { return r.connected() == len(r.devices) }) {
				cancel()
			}
		}()
		return nil
	})
	if !errors.Is(err, errBehind) {
		t.Errorf("a hidden message: %v", err)
	}
	r.disconnect()
	if lost, _ := r.count(0); lost != 3 {
		t.Errorf("%d lost", lost)
	}
}
