package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/shell"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/e2e/traces"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// The spans of one message, as they are called.
const (
	spanFrame   = "frame message.send"
	spanSend    = "chat.send"
	spanQueue   = "queue"
	spanInsert  = "insert"
	spanPublish = "publish im.room.*.message"
	spanDeliver = "deliver im.room.*.message"
)

// One message is followed from the frame at one gateway to its delivery at
// both, in one trace.
func TestTrace_follows_one_message(t *testing.T) {
	collector := traces.Start(t)
	s := system.Start(t, system.Options{Gateways: 2, Env: collector.Env()})
	list := people(t, s, "ann", "bob", "cat", "dan", "eve", "fay") // by turns at the two gateways
	ann := list[0]
	for _, p := range list[1:] {
		ann.Befriend(t, p)
	}
	room := ann.Group(t, "traced", list[1:]...).ID
	sockets := make([]*person.Socket, len(list))
	for i, p := range list {
		sockets[i] = p.Dial(t)
	}
	observed := watch(t, s)

	const text = "the text of the message that is followed"
	sockets[0].Must(t, contract.OpMessageSend, send(room, id.New(), text))
	var frame person.Frame
	for _, socket := range sockets {
		person.Push(t, socket, contract.MessagePushed.Op, func(m contract.Message) bool { return m.Content.Text == text })
		frame = socket.Pushes()[slices.IndexFunc(socket.Pushes(), func(f person.Frame) bool { return f.Op == contract.MessagePushed.Op })]
	}

	// What the observer sees is the frame, and beside it the trace.
	seen := next(t, observed)
	if want := `{"op":"message","data":` + string(frame.Data) + `}`; string(seen.Data) != want {
		t.Errorf("the observer sees %s, clients %s", seen.Data, want)
	}
	if len(seen.Header["traceparent"]) != 1 {
		t.Errorf("the observer sees headers %v", seen.Header)
	}

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	all, ok := collector.Await(ctx, func(spans []traces.Span) bool {
		names := count(traceOf(spans))
		return names[spanFrame] == 1 && names[spanDeliver] == 2 && names[spanSend] == 2
	})
	trace := traceOf(all)
	if !ok {
		t.Fatalf("the trace is not whole:\n%s", traces.Tree(trace))
	}
	t.Logf("one message, six people at two gateways:\n%s", traces.Tree(trace))
	checkTrace(t, trace)
	if err := shell.Shows(traces.Tree(trace), documentedTree(t)); err != nil {
		t.Errorf("the tree in %s: %v", tracingDocument, err)
	}
	nothingPersonal(t, all, list, text)
}

// watch has the observer hear the messages of all rooms.
func watch(t *testing.T, s *system.System) *nats.Subscription {
	t.Helper()
	nc := connect(t, s, contract.ObserverUser)
	sub, err := nc.SubscribeSync("im.room.*.message")
	if err == nil {
		err = nc.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func next(t *testing.T, sub *nats.Subscription) *nats.Msg {
	t.Helper()
	m, err := sub.NextMsg(patience)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// traceOf is the trace of the message, if it has begun.
func traceOf(spans []traces.Span) []traces.Span {
	i := slices.IndexFunc(spans, func(s traces.Span) bool { return s.Name == spanFrame })
	if i < 0 {
		return nil
	}
	return traces.Of(spans[i].Trace, spans)
}

func count(spans []traces.Span) map[string]int {
	names := map[string]int{}
	for _, s := range spans {
		names[s.Name]++
	}
	return names
}

// checkTrace holds the spans of the message against how it travels.
func checkTrace(t *testing.T, trace []traces.Span) {
	t.Helper()
	named := map[string][]traces.Span{}
	byID := map[string]traces.Span{}
	for _, s := range trace {
		named[s.Name] = append(named[s.Name], s)
		byID[s.ID] = s
		if s.Error != "" {
			t.Errorf("%s failed: %s", s.Name, s.Error)
		}
	}
	for name, n := range map[string]int{spanFrame: 1, spanSend: 2, spanQueue: 1, spanInsert: 1, spanPublish: 1, spanDeliver: 2} {
		if len(named[name]) != n {
			t.Fatalf("%d spans %s, want %d:\n%s", len(named[name]), name, n, traces.Tree(trace))
		}
	}
	below := func(s traces.Span, parent, kind string) {
		t.Helper()
		if p := byID[s.Parent]; p.Name != parent || s.Kind != kind {
			t.Errorf("%s is a %s below %q, want a %s below %q", s.Name, s.Kind, p.Name, kind, parent)
		}
	}
	for _, s := range named[spanSend] {
		if s.Kind == "client" {
			below(s, spanFrame, "client")
		} else {
			below(s, spanSend, "server")
		}
	}
	below(named[spanQueue][0], spanSend, "internal")
	below(named[spanInsert][0], spanSend, "client")
	below(named[spanPublish][0], spanSend, "producer")
	if insert := named[spanInsert][0]; insert.Attributes["parley.batch.messages"] == "" || insert.Attributes["db.system.name"] == "" {
		t.Errorf("the insert tells %v", insert.Attributes)
	}
	instances := map[string]bool{}
	for _, s := range named[spanDeliver] {
		below(s, spanPublish, "consumer")
		instances[s.Instance] = true
		if len(s.Links) != 1 || s.Links[0] != named[spanPublish][0].ID {
			t.Errorf("a delivery is linked to %v", s.Links)
		}
		if n := s.Attributes["parley.connections"]; n != "int_value:3" {
			t.Errorf("a delivery to three people says %s", n)
		}
	}
	if len(instances) != 2 {
		t.Errorf("the deliveries are of %d gateways", len(instances))
	}
}

// nothingPersonal looks through everything that was exported since the system
// started, registration included.
func nothingPersonal(t *testing.T, spans []traces.Span, list []*person.Person, text string) {
	t.Helper()
	private := []string{text, person.Password, "example.org"}
	for _, p := range list {
		private = append(private, p.Account, p.Access)
	}
	for _, s := range spans {
		told := fmt.Sprint(s)
		for _, secret := range private {
			if strings.Contains(told, secret) {
				t.Errorf("a span tells %q: %s", secret, told)
			}
		}
	}
}

// A message that nobody traces has no header at all.
func TestTrace_no_header_unless_recorded(t *testing.T) {
	collector := traces.Start(t)
	s := system.Start(t, system.Options{Gateways: 1, Replicas: 1, Env: append(collector.Env(), "TRACE_SAMPLE_RATIO=0")})
	list := people(t, s, "ann", "bob")
	room := list[0].Befriend(t, list[1])
	observed := watch(t, s)
	list[0].Send(t, room, id.New(), "over HTTP").Is(t, http.StatusCreated)
	list[0].Dial(t).Must(t, contract.OpMessageSend, send(room, id.New(), "over WebSocket"))
	for range 2 {
		if m := next(t, observed); len(m.Header) != 0 {
			t.Errorf("%s has headers %v", m.Data, m.Header)
		}
	}
	if spans := collector.Spans(); len(spans) != 0 {
		t.Errorf("%d spans:\n%s", len(spans), traces.Tree(spans))
	}
}

const tracingDocument = "../docs/tracing.md"

var milliseconds = regexp.MustCompile(`[0-9]+\.[0-9]+`)

// documentedTree is the trace that docs/tracing.md shows, with … for what each
// run has of its own: how long it took, and what was remembered.
func documentedTree(t *testing.T) []string {
	t.Helper()
	document, err := os.ReadFile(tracingDocument)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(document), "\n## One message as a trace\n")
	_, block, found := strings.Cut(section, "\n```text\n")
	block, _, _ = strings.Cut(block, "\n```\n")
	if !found {
		t.Fatalf("no tree in %s", tracingDocument)
	}
	return slices.DeleteFunc(strings.Split(milliseconds.ReplaceAllString(block, "…"), "\n"), func(line string) bool {
		return strings.Contains(line, "membership")
	})
}
