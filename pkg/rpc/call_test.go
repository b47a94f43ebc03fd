package rpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

func TestCall_round_trip(t *testing.T) {
	ns := startNATS(t)
	s := serveEcho(t, connect(t, ns), options(), nil)
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	for _, text := range []string{"hello", "", "<b>&amp; \u2028", strings.Repeat("長", 100_000)} {
		got, err := rpc.Call(context.Background(), c, askMethod(), echoRequest{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if got.Text != text || got.Replica != s.Replica() {
			t.Fatalf("got %.40q of %s", got.Text, got.Replica)
		}
	}
}

func TestCall_carries_faults(t *testing.T) {
	ns := startNATS(t)
	answer := map[string]error{
		"plain":   fault.New(fault.NotFound, "no such room"),
		"wrapped": fmt.Errorf("open: %w", fault.New(fault.PermissionDenied, "not yours")),
		"fields":  fault.Invalid("name", "is too long").After(1500 * time.Millisecond),
		"ended":   fmt.Errorf("read: %w", context.DeadlineExceeded),
		"inner":   errors.New("password of the database is hunter2"),
		"leaky":   fault.New(fault.Internal, "hunter2").Because(errors.New("hunter2")),
		"nil":     (*fault.Error)(nil),
	}
	tel, log := logged()
	o := options()
	o.Telemetry = tel
	serveEcho(t, connect(t, ns), o, func(_ context.Context, r echoRequest) (echoReply, error) {
		return echoReply{Text: "must not arrive"}, answer[r.Text]
	})
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	for name, want := range map[string]*fault.Error{
		"plain":   fault.New(fault.NotFound, "no such room"),
		"wrapped": fault.New(fault.PermissionDenied, "not yours"),
		"fields":  fault.Invalid("name", "is too long").After(1500 * time.Millisecond),
		"ended":   fault.New(fault.DeadlineExceeded, "the request took too long"),
		"inner":   fault.New(fault.Internal, fault.Internal.Title()),
		"leaky":   fault.New(fault.Internal, fault.Internal.Title()),
		"nil":     fault.New(fault.Internal, fault.Internal.Title()),
	} {
		t.Run(name, func(t *testing.T) {
			rep, err := rpc.Call(context.Background(), c, askMethod(), echoRequest{Text: name})
			got := wantCode(t, err, want.Code)
			if got.Detail != want.Detail || len(got.Fields) != len(want.Fields) || got.RetryAfter != want.RetryAfter {
				t.Errorf("got %#v, want %#v", got, want)
			}
			if strings.Contains(err.Error(), "hunter2") || rep.Text != "" {
				t.Errorf("leaked: %v, %+v", err, rep)
			}
		})
	}
	if n := strings.Count(log.String(), `"msg":"request failed"`); n != 3 {
		t.Errorf("%d internal errors logged, want 3:\n%s", n, log)
	}
	if !strings.Contains(log.String(), "hunter2") || !strings.Contains(log.String(), `"method":"chat.ask"`) {
		t.Errorf("the log does not say what happened:\n%s", log)
	}
}

// A fault of a service behind the service called keeps its code, and is
// logged where it arose only.
func TestCall_passes_faults_through(t *testing.T) {
	ns := startNATS(t)
	behind := contract.Method[echoRequest, echoReply]{Service: contract.Social, Name: "behind"}
	o := options()
	o.Service = contract.Social
	s := rpc.NewServer(connect(t, ns), o)
	rpc.Handle(s, behind, func(_ context.Context, r echoRequest) (echoReply, error) {
		if r.Text == "internal" {
			return echoReply{}, errors.New("disk on fire")
		}
		return echoReply{}, fault.New(fault.AlreadyExists, "there is one")
	})
	start(t, s)

	tel, log := logged()
	front := options()
	front.Telemetry = tel
	nc := connect(t, ns)
	c := rpc.NewClient(nc, rpc.ClientOptions{})
	serveEcho(t, nc, front, func(ctx context.Context, r echoRequest) (echoReply, error) {
		rep, err := rpc.Call(ctx, c, behind, r)
		if err != nil {
			return rep, fmt.Errorf("ask behind: %w", err)
		}
		return rep, nil
	})
	_, err := rpc.Call(context.Background(), c, askMethod(), echoRequest{})
	if f := wantCode(t, err, fault.AlreadyExists); f.Detail != "there is one" {
		t.Errorf("got %q", f.Detail)
	}
	_, err = rpc.Call(context.Background(), c, askMethod(), echoRequest{Text: "internal"})
	if f := wantCode(t, err, fault.Internal); f.Detail != fault.Internal.Title() {
		t.Errorf("got %q", f.Detail)
	}
	if log.String() != "" {
		t.Errorf("logged twice: %s", log)
	}
}

// What the nats command shows of an error is micro's headers and the body.
func TestServer_answers_micro_clients(t *testing.T) {
	ns := startNATS(t)
	serveEcho(t, connect(t, ns), options(), func(context.Context, echoRequest) (echoReply, error) {
		return echoReply{}, fault.New(fault.FailedPrecondition, "closed")
	})
	msg, err := connect(t, ns).Request(askMethod().Subject(), []byte(`{}`), long)
	if err != nil {
		t.Fatal(err)
	}
	if c, d := msg.Header.Get(micro.ErrorCodeHeader), msg.Header.Get(micro.ErrorHeader); c != "409" || d != "failed_precondition" {
		t.Errorf("got %s %s", c, d)
	}
	if want := `{"code":"failed_precondition","detail":"closed"}`; string(msg.Data) != want {
		t.Errorf("got %s, want %s", msg.Data, want)
	}
}

func TestServer_reads_bodies(t *testing.T) {
	ns := startNATS(t)
	serveEcho(t, connect(t, ns), options(), nil)
	nc := connect(t, ns)
	for name, c := range map[string]struct {
		body  string
		code  string // "" is success
		field string
	}{
		"unknown fields": {`{"text":"a","added_later":[1,{"x":null}]}`, "", ""},
		"missing fields": {`{}`, "", ""},
		"empty":          {``, "400", ""},
		"cut off":        {`{"text":"secr`, "400", ""},
		"trailing":       {`{"text":"a"} {"text":"secret"}`, "400", ""},
		"wrong type":     {`{"text":17}`, "400", "text"},
		"not an object":  {`"secret"`, "400", ""},
		"bad time":       {`{"at":"secret"}`, "400", ""},
		"binary":         {"\x00\xff\xfe", "400", ""},
	} {
		t.Run(name, func(t *testing.T) {
			msg, err := nc.Request(askMethod().Subject(), []byte(c.body), long)
			if err != nil {
				t.Fatal(err)
			}
			if got := msg.Header.Get(micro.ErrorCodeHeader); got != c.code {
				t.Fatalf("got code %q, want %q: %s", got, c.code, msg.Data)
			}
			if c.code == "" {
				return
			}
			var f fault.Error
			if err := json.Unmarshal(msg.Data, &f); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(msg.Data), "secr") {
				t.Errorf("the body came back: %s", msg.Data)
			}
			if c.field != "" && (len(f.Fields) != 1 || f.Fields[0].Field != c.field) {
				t.Errorf("got fields %+v", f.Fields)
			}
		})
	}
}

func TestCall_too_large(t *testing.T) {
	ns := startNATS(t, func(o *server.Options) { o.MaxPayload = 64 << 10 })
	tel, log := logged()
	o := options()
	o.Telemetry = tel
	serveEcho(t, connect(t, ns), o, func(_ context.Context, r echoRequest) (echoReply, error) {
		if r.Text == "fields" {
			f := fault.New(fault.InvalidArgument, "all of it")
			for range 5000 {
				f.Fields = append(f.Fields, fault.Field{Field: "a long enough name", Detail: "is wrong"})
			}
			return echoReply{}, f
		}
		return echoReply{Text: strings.Repeat("x", r.Count)}, nil
	})
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	t.Run("reply", func(t *testing.T) {
		_, err := rpc.Call(within(t, long), c, askMethod(), echoRequest{Count: 70_000})
		wantCode(t, err, fault.PayloadTooLarge)
		if !strings.Contains(log.String(), "too large") {
			t.Errorf("not logged: %s", log)
		}
	})
	t.Run("request", func(t *testing.T) {
		_, err := rpc.Call(within(t, long), c, askMethod(), echoRequest{Text: strings.Repeat("x", 70_000)})
		wantCode(t, err, fault.PayloadTooLarge)
	})
	t.Run("request with its headers", func(t *testing.T) {
		text := strings.Repeat("x", 64<<10-len(`{"text":""}`))
		_, err := rpc.Call(within(t, long), c, askMethod(), echoRequest{Text: text})
		wantCode(t, err, fault.PayloadTooLarge)
	})
	t.Run("fault", func(t *testing.T) {
		_, err := rpc.Call(within(t, long), c, askMethod(), echoRequest{Text: "fields"})
		wantCode(t, err, fault.InvalidArgument)
	})
}

// A reply that this build can't read is an error, not half a reply.
func TestCall_unreadable_reply(t *testing.T) {
	ns := startNATS(t)
	nc := connect(t, ns)
	replies := map[string]*nats.Msg{
		"json":    {Data: []byte(`{"replica":"r","text":5}`)},
		"nothing": {},
		"fault":   {Header: nats.Header{micro.ErrorCodeHeader: {"500"}, micro.ErrorHeader: {"boom"}}},
	}
	for name, reply := range replies {
		t.Run(name, func(t *testing.T) {
			sub, err := nc.Subscribe(askMethod().Subject(), func(m *nats.Msg) {
				if err := m.RespondMsg(&nats.Msg{Header: reply.Header, Data: reply.Data}); err != nil {
					t.Error(err)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			defer sub.Unsubscribe()
			rep, err := rpc.Call(within(t, long), rpc.NewClient(nc, rpc.ClientOptions{}), askMethod(), echoRequest{})
			wantCode(t, err, fault.Internal)
			if rep != (echoReply{}) {
				t.Errorf("got half a reply: %+v", rep)
			}
		})
	}
}
