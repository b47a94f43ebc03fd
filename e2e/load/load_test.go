package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	build "github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
)

func TestMain(m *testing.M) {
	code := m.Run()
	build.Cleanup()
	os.Exit(code)
}

// TestLoad runs every scenario, small and short, against a Parley that it
// starts: real processes, two gateways. How fast they are is not its matter.
func TestLoad(t *testing.T) {
	parley := build.Build(t, "github.com/parley-im/parley/standalone")
	for scenarios, args := range map[string][]string{
		"persist,hotroom,direct,idle,storm": nil,
		"mixed":                             {"-rate", "40"},
	} {
		t.Run(scenarios, func(t *testing.T) {
			small := []string{"-parley", parley, "-mail", "127.0.0.1:0", "-duration", "1s", "-conns", "6", "-members", "3", "-senders", "6"}
			all, table := measure(t, append(append(small, "-scenario", scenarios), args...))
			if all.Lost != 0 || all.Doubled != 0 || len(all.Scenarios) != len(strings.Split(scenarios, ",")) {
				t.Errorf("lost %d, doubled %d in %d scenarios\n%s", all.Lost, all.Doubled, len(all.Scenarios), table)
			}
			for _, rep := range all.Scenarios {
				if !strings.Contains(table, rep.Scenario+":") || !rep.plausible() {
					t.Errorf("%s: %+v\n%s", rep.Scenario, rep, table)
				}
			}
		})
	}
}

// measure runs load and returns what it wrote for programs and for people.
func measure(t *testing.T, args []string) (all reports, table string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "results.json")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var out strings.Builder
	if err := load(ctx, append(args, "-json", file), &out, &progress{}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all, out.String()
}

// plausible reports whether something was measured.
func (rep *report) plausible() bool {
	if rep.Connections < 3 || rep.Gateways != 2 || len(rep.Processes) != 7 || rep.GeneratorCPUPerMinute < 0 {
		return false
	}
	switch rep.Scenario {
	case "idle":
		return rep.MemoryPerConnection > 0
	case "storm":
		return len(rep.Storms) > 0 && rep.CaughtUp != nil && rep.Repaired > 0
	default:
		return rep.Sends > 0 && rep.Deliveries > 0 && rep.Ack != nil && rep.Deliver != nil && rep.CPUPer1000Sends > 0
	}
}

// A count that can't find what is wrong would be worth nothing.
func TestCount(t *testing.T) {
	// stand is a room of two, both of whom have the first three messages.
	stand := func() (*run, *received) {
		r := newRun(1)
		a, b := r.device("", nil), r.device("", nil)
		to := r.room("r1", a, b)
		for _, d := range []*device{a, b} {
			l := d.logOf(to)
			l.start(0)
			for seq := int64(1); seq <= 3; seq++ {
				l.push(seq)
			}
		}
		for seq := int64(1); seq <= 3; seq++ {
			to.ack(seq)
		}
		return r, b.logOf(to)
	}
	for name, c := range map[string]struct {
		change  func(*testing.T, *run, *received)
		lost    int
		doubled int64
	}{
		"whole": {change: func(*testing.T, *run, *received) {}},
		"one never came to one member": {lost: 2, change: func(_ *testing.T, r *run, _ *received) {
			r.rooms[0].ack(4) // to neither
		}},
		"fetched is not lost": {change: func(t *testing.T, r *run, l *received) {
			r.rooms[0].ack(4)
			for _, d := range r.devices {
				if !d.logOf(r.rooms[0]).fetch(4) {
					t.Error("a fetched message was not missing")
				}
			}
			if l.reached.Load() != 4 {
				t.Errorf("reached %d", l.reached.Load())
			}
		}},
		"early is not lost": {change: func(_ *testing.T, r *run, _ *received) {
			for _, seq := range []int64{5, 4} {
				r.rooms[0].ack(seq)
				for _, d := range r.devices {
					d.logOf(r.rooms[0]).push(seq)
				}
			}
		}},
		"stored twice": {doubled: 1, change: func(_ *testing.T, r *run, l *received) {
			l.push(4) // under a seq that answered nobody
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r, l := stand()
			c.change(t, r, l)
			if lost, doubled := r.count(0); lost != c.lost || doubled != c.doubled {
				t.Errorf("lost %d, doubled %d; want %d, %d", lost, doubled, c.lost, c.doubled)
			}
		})
	}
	_, l := stand()
	if l.push(2) {
		t.Error("a message that was pushed twice was not seen")
	}
}

func TestReadFrame(t *testing.T) {
	pushed, err := contract.MessagePushed.Encode(contract.Message{
		ID: "m1", RoomID: "r1", Seq: 42, ClientID: "c1", SenderID: "u1", Type: contract.MessageText,
		Content: contract.Content{Text: `,"seq":1,"client_id":"no"`},
	})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := json.Marshal(contract.Reply[contract.SendReply]{ID: "7", Op: contract.OpOK, Data: contract.SendReply{RoomID: "r1", Seq: 42, ID: "m1"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := scanMessage(pushed); !ok {
		t.Errorf("the contract encodes pushes in another way: %s", pushed)
	}
	if _, ok := scanSent(sent); !ok {
		t.Errorf("the contract encodes answers in another way: %s", sent)
	}
	for name, c := range map[string]struct {
		raw  string
		want string
	}{
		"a push":                   {string(pushed), "message  r1 42 c1"},
		"an answer":                {string(sent), "ok 7 r1 42 "},
		"a push in another order":  {`{"data":{"seq":42,"room_id":"r1","client_id":"c1"},"op":"message"}`, "message  r1 42 c1"},
		"an id that is escaped":    {`{"op":"message","data":{"id":"m","room_id":"r\u0031","seq":42,"client_id":"c1"}}`, "message  r1 42 c1"},
		"another op":               {`{"op":"room.head","data":{"room_id":"r1","last_seq":9}}`, "room.head  r1 0 "},
		"a seq that is no integer": {`{"op":"room.head","data":{"room_id":"r1"}}`, "room.head  r1 0 "},
	} {
		f, err := readFrame([]byte(c.raw))
		if got := fmt.Sprintf("%s %s %s %d %s", f.op, f.id, f.roomID, f.seq, f.clientID); err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	if _, err := readFrame([]byte(`{"op":`)); err == nil {
		t.Error("half a frame is no error")
	}
}

// An open loop says when a turn was due, however late it is.
func TestPacer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	now := time.Second
	var due []time.Duration
	p := pacer{rate: 10, now: func() time.Duration { return now }, sleep: func(_ context.Context, d time.Duration) { now += d }}
	p.run(ctx, func(i int, at time.Duration) {
		due = append(due, at-time.Second)
		if i == 1 {
			now += time.Second // the machine stands still
		}
		if i == 4 {
			if now != 2100*time.Millisecond {
				t.Errorf("it waited while turns were overdue: %v", now)
			}
			cancel()
		}
	})
	for i, at := range due {
		if at != time.Duration(i)*100*time.Millisecond {
			t.Errorf("turn %d was due at %v", i, at)
		}
	}
}

func TestProcfs(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Join(dir, "7"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "7", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("stat", "7 (a name) with) S 1 2 3 4 5 6 7 8 9 10 250 150 0 0 20 0 1 0 0 0\n")
	write("statm", "1000 300 20 1 0 1 0\n")
	write("cmdline", "/bin/parley\x00-data\x00d\x00-only\x00gateway\x00")
	fs := procfs(dir)
	if got, err := fs.read(7); err != nil || got.CPU != 4*time.Second || got.Memory != 300*int64(os.Getpagesize()) {
		t.Errorf("got %+v, %v", got, err)
	}
	if name, err := fs.name(7); err != nil || name != "gateway" {
		t.Errorf("got %q, %v", name, err)
	}
	if _, err := fs.read(8); err == nil {
		t.Error("a process that is not there")
	}
}

func TestParseOptions(t *testing.T) {
	for args, want := range map[string]string{
		"":                                 "-gateways or -parley",
		"-gateways ftp://x":                "-gateways",
		"-gateways http://x -scenario nap": "-scenario",
		"-gateways http://x -duration 0s":  "-duration",
		"-gateways http://x -pid one":      "-pid",
		"-gateways http://x -text 5000":    "-text",
		"-gateways http://x more":          "more",
	} {
		if _, err := parseOptions(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
	}
}
