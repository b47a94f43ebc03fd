package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

func groupMethod() contract.Method[echoRequest, echoReply] {
	return contract.Method[echoRequest, echoReply]{Service: contract.Chat, Name: "together", Pinned: true, Repeatable: true, Grouped: contract.MaxGroup}
}

// grouping is a service that counts what comes together, and answers when it
// may.
type grouping struct {
	*running
	mu     sync.Mutex
	groups []int         // the size of each request, in the order of arrival
	gate   chan struct{} // closed: everything is answered
}

func (g *grouping) sizes() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]int(nil), g.groups...)
}

// serveGroups answers each call with its text, "bad" with a fault, "secret"
// with an error, "panic" with one and "long" with 200 KiB, once gate is closed; "quick" at once.
func serveGroups(t testing.TB, nc *nats.Conn, o rpc.ServerOptions) *grouping {
	t.Helper()
	g := &grouping{gate: make(chan struct{})}
	s := rpc.NewServer(nc, o)
	rpc.HandleGroup(s, groupMethod(), func(ctx context.Context, reqs []echoRequest) []rpc.Result[echoReply] {
		g.mu.Lock()
		g.groups = append(g.groups, len(reqs))
		g.mu.Unlock()
		if reqs[0].Text != "quick" {
			select {
			case <-g.gate:
			case <-ctx.Done():
			}
		}
		results := make([]rpc.Result[echoReply], len(reqs))
		for i, r := range reqs {
			switch r.Text {
			case "bad":
				results[i].Err = fault.Invalid("text", "must be good")
			case "secret":
				results[i].Err = errors.New("the password is 123")
			case "panic":
				panic("the password is 123")
			case "long":
				results[i].Reply.Text = strings.Repeat("x", 200<<10)
			default:
				results[i].Reply = echoReply{Text: r.Text, Replica: s.Replica()}
			}
		}
		return results
	})
	g.running = start(t, s)
	return g
}

// callAll makes the calls at the same time once as many requests as the client
// sends at once wait at the service, and returns what came of them.
func callAll(t *testing.T, g *grouping, c *rpc.Client, texts []string, opts ...rpc.CallOption) (replies []echoReply, errs []error) {
	t.Helper()
	replies, errs = make([]echoReply, len(texts)), make([]error, len(texts))
	var called sync.WaitGroup
	var done atomic.Int32
	for i, text := range texts {
		called.Go(func() {
			replies[i], errs[i] = rpc.Call(within(t, 20*time.Second), c, groupMethod(), echoRequest{Text: text}, opts...)
			done.Add(1)
		})
		if i < 2 {
			await(t, "the request to arrive", func() bool { return len(g.sizes()) == i+1 })
		}
	}
	close(g.gate)
	called.Wait()
	return replies, errs
}

func numbered(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprint("call ", i)
	}
	return texts
}

func TestGroup_calls_that_meet_travel_together(t *testing.T) {
	ns := startNATS(t)
	g := serveGroups(t, connect(t, ns), options())
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	texts := numbered(300)
	replies, errs := callAll(t, g, c, texts, rpc.To(g.Replica()))
	for i, text := range texts {
		if errs[i] != nil || replies[i].Text != text || replies[i].Replica != g.Replica() {
			t.Errorf("call %q: %+v, %v", text, replies[i], errs[i])
		}
	}
	sum, most := 0, 0
	for _, n := range g.sizes() {
		sum, most = sum+n, max(most, n)
	}
	// How many wait when the first are answered is up to the scheduler.
	if sum != len(texts) || most > contract.MaxGroup || len(g.sizes()) > len(texts)/2 {
		t.Errorf("%d calls came as %v", len(texts), g.sizes())
	}
}

func TestGroup_alone_a_call_travels_as_ever(t *testing.T) {
	ns := startNATS(t)
	g := serveGroups(t, connect(t, ns), options())
	close(g.gate)
	nc := connect(t, ns)
	seen := make(chan *nats.Msg, 1)
	if _, err := connect(t, ns).ChanSubscribe(groupMethod().Subject(), seen); err != nil {
		t.Fatal(err)
	}
	c := rpc.NewClient(nc, rpc.ClientOptions{})
	await(t, "a call to be seen", func() bool {
		if _, err := rpc.Call(within(t, long), c, groupMethod(), echoRequest{Text: "hello"}); err != nil {
			t.Fatal(err)
		}
		select {
		case m := <-seen:
			if m.Header.Get(contract.HeaderGroup) != "" || string(m.Data) != `{"text":"hello"}` {
				t.Errorf("it was %v %s", m.Header, m.Data)
			}
			return true
		default:
			return false
		}
	})
}

func TestGroup_one_fault_concerns_no_other(t *testing.T) {
	ns := startNATS(t)
	o := options()
	var logs *logBuffer
	o.Telemetry, logs = logged()
	g := serveGroups(t, connect(t, ns), o)
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	texts := append(numbered(2), "a", "bad", "b", "secret", "c")
	replies, errs := callAll(t, g, c, texts)
	for i, text := range texts {
		switch f := fault.From(errs[i]); text {
		case "bad":
			if f == nil || f.Code != fault.InvalidArgument || len(f.Fields) != 1 || f.Fields[0].Field != "text" {
				t.Errorf("%q: %v", text, f)
			}
		case "secret":
			if f == nil || f.Code != fault.Internal || strings.Contains(f.Error(), "password") {
				t.Errorf("%q: %v", text, f)
			}
		default:
			if errs[i] != nil || replies[i].Text != text {
				t.Errorf("%q: %+v, %v", text, replies[i], errs[i])
			}
		}
	}
	if n := strings.Count(logs.String(), "the password is 123"); n != 1 {
		t.Errorf("the error was logged %d times: %s", n, logs)
	}
}

func TestGroup_a_panic_is_internal_to_all_of_it(t *testing.T) {
	ns := startNATS(t)
	g := serveGroups(t, connect(t, ns), options())
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	_, errs := callAll(t, g, c, append(numbered(2), "panic"))
	if errs[0] != nil || errs[1] != nil || !fault.Is(errs[2], fault.Internal) {
		t.Errorf("got %v", errs)
	}
	if _, err := rpc.Call(within(t, long), c, groupMethod(), echoRequest{Text: "after"}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestGroup_who_leaves_takes_nobody_along(t *testing.T) {
	ns := startNATS(t)
	g := serveGroups(t, connect(t, ns), options())
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	leaving, leave := context.WithCancel(within(t, 20*time.Second))
	left := make(chan error, 20)
	var leavers sync.WaitGroup
	for i := range cap(left) { // some leave while they wait, some from within a group
		leavers.Go(func() {
			_, err := rpc.Call(leaving, c, groupMethod(), echoRequest{Text: fmt.Sprint("leaver ", i)})
			left <- err
		})
	}
	await(t, "the first to arrive", func() bool { return len(g.sizes()) >= 2 })
	var stays sync.WaitGroup
	for i := range 20 {
		stays.Go(func() {
			text := fmt.Sprint("stays ", i)
			reply, err := rpc.Call(within(t, 20*time.Second), c, groupMethod(), echoRequest{Text: text})
			if err != nil || reply.Text != text {
				t.Errorf("%q: %+v, %v", text, reply, err)
			}
		})
	}
	leave()
	leavers.Wait()
	for range cap(left) {
		if err := <-left; !fault.Is(err, fault.Unavailable) {
			t.Errorf("who left got %v", err)
		}
	}
	close(g.gate)
	stays.Wait()
}

func TestGroup_a_slow_request_does_not_hold_up_others(t *testing.T) {
	ns := startNATS(t)
	o := options()
	o.Timeout = time.Minute
	g := serveGroups(t, connect(t, ns), o)
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	var slow sync.WaitGroup
	for i := range 2 {
		slow.Go(func() {
			if _, err := rpc.Call(within(t, time.Minute), c, groupMethod(), echoRequest{Text: "slow"}); err != nil {
				t.Error(err)
			}
		})
		await(t, "it to arrive", func() bool { return len(g.sizes()) == i+1 })
	}
	// The gate is shut: only what does not wait for it is answered.
	if _, err := rpc.Call(within(t, long), c, groupMethod(), echoRequest{Text: "quick"}); err != nil {
		t.Errorf("a call behind slow ones: %v", err)
	}
	close(g.gate)
	slow.Wait()
}

func TestGroup_is_no_larger_than_NATS_takes(t *testing.T) {
	ns := startNATS(t)
	g := serveGroups(t, connect(t, ns), options())
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	texts := numbered(2)
	for i := range 40 {
		texts = append(texts, fmt.Sprint(i, strings.Repeat("x", 100_000)))
	}
	replies, errs := callAll(t, g, c, texts)
	for i, text := range texts {
		if errs[i] != nil || replies[i].Text != text {
			t.Errorf("call %d: %v", i, errs[i])
		}
	}
	for _, n := range g.sizes() {
		if n > 2 {
			t.Errorf("%d calls of 100 KB came together", n)
		}
	}
}

// What finds no place in the answer is asked for again, and the rest is not.
func TestGroup_is_answered_with_no_more_than_NATS_takes(t *testing.T) {
	ns := startNATS(t)
	g := serveGroups(t, connect(t, ns), options())
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	texts := numbered(40)
	for i := 5; i < 40; i += 4 {
		texts[i] = "long"
	}
	replies, errs := callAll(t, g, c, texts)
	for i, text := range texts {
		switch {
		case errs[i] != nil:
			t.Errorf("call %d: %v", i, errs[i])
		case text == "long" && len(replies[i].Text) != 200<<10, text != "long" && replies[i].Text != text:
			t.Errorf("call %d is answered with %d bytes", i, len(replies[i].Text))
		}
	}
	sum := 0
	for _, n := range g.sizes() {
		sum += n
	}
	if sum <= len(texts) || sum > len(texts)+9 {
		t.Errorf("%d calls came as %v", len(texts), g.sizes())
	}
}

func TestGroup_goes_elsewhere_when_its_replica_is_gone(t *testing.T) {
	ns := startNATS(t)
	gone := serveGroups(t, connect(t, ns), options())
	if err := gone.stop(); err != nil {
		t.Fatal(err)
	}
	g := serveGroups(t, connect(t, ns), options())
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	_, errs := callAll(t, g, c, numbered(20), rpc.To(gone.Replica()))
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func TestHandle_answers_each_of_a_group(t *testing.T) {
	ns := startNATS(t)
	s := rpc.NewServer(connect(t, ns), options())
	all := make(chan struct{})
	var calls atomic.Int32
	rpc.Handle(s, groupMethod(), func(ctx context.Context, r echoRequest) (echoReply, error) {
		if calls.Add(1) == 20 {
			close(all)
		}
		select {
		case <-all: // none keeps another waiting
		case <-ctx.Done():
			return echoReply{}, ctx.Err()
		}
		switch r.Text {
		case "panic":
			panic("the password is 123")
		case "bad":
			return echoReply{}, fault.Invalid("text", "must be good")
		}
		return echoReply{Text: r.Text}, nil
	})
	start(t, s)
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	var called sync.WaitGroup
	for i := range 20 {
		text, want := fmt.Sprint(i), fault.Code("")
		switch i {
		case 11:
			text, want = "panic", fault.Internal
		case 13:
			text, want = "bad", fault.InvalidArgument
		}
		called.Go(func() {
			reply, err := rpc.Call(within(t, 20*time.Second), c, groupMethod(), echoRequest{Text: text})
			switch {
			case want != "" && !fault.Is(err, want):
				t.Errorf("%s: %v", text, err)
			case want == "" && (err != nil || reply.Text != text):
				t.Errorf("%s: answered %+v, %v", text, reply, err)
			}
		})
	}
	called.Wait()
}

func TestGroup_that_is_none_is_refused(t *testing.T) {
	ns := startNATS(t)
	nc := connect(t, ns)
	serveEcho(t, connect(t, ns), options(), nil)
	g := serveGroups(t, connect(t, ns), rpc.ServerOptions{Service: contract.Chat, Version: "1.2.3"})
	close(g.gate)
	many := "[" + strings.Repeat(`{"text":"x"},`, contract.MaxGroup) + `{"text":"x"}]`
	for name, c := range map[string]struct{ subject, body string }{
		"no array":         {groupMethod().Subject(), `{"text":"x"}`},
		"empty":            {groupMethod().Subject(), `[]`},
		"too many":         {groupMethod().Subject(), many},
		"not for groups":   {askMethod().Subject(), `[{"text":"x"}]`},
		"one of them text": {groupMethod().Subject(), `[{"text":"x"},"y"]`},
	} {
		reply, err := nc.RequestMsg(&nats.Msg{Subject: c.subject, Data: []byte(c.body), Header: nats.Header{contract.HeaderGroup: {"2"}}}, long)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(reply.Data), `"invalid_argument"`) {
			t.Errorf("%s: answered %s", name, reply.Data)
		}
	}
}
