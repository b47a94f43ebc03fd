package rpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// Whatever arrives as a request is answered at once: by the handler if it is
// JSON of the request's shape, else as invalid, and never as Internal.
func FuzzServer(f *testing.F) {
	for _, seed := range []string{
		`{"text":"hello","count":3,"at":"2026-01-02T03:04:05.678Z","tags":{"a":"b"}}`,
		`{}`, `null`, `[]`, `"x"`, `{"text":`, `{"text":"\ud800"}`, `{"TEXT":"case"}`, "", "\x00", "{\"a\":\"\xff\"}",
		`{"count":1e400}`, `{"at":"0000-13-01T00:00:00Z"}`, strings.Repeat("[", 20_000),
	} {
		f.Add([]byte(seed), "100", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	}
	f.Add([]byte(`{}`), "-1", "00-bad")
	f.Add([]byte(`{}`), "99999999999999999999", "")
	ns := startNATS(f)
	serveEcho(f, connect(f, ns), options(), nil)
	nc := connect(f, ns)
	f.Fuzz(func(t *testing.T, body []byte, timeout, traceparent string) {
		if len(body) > 512<<10 || strings.ContainsAny(timeout+traceparent, "\r\n") {
			return // no NATS client sends it
		}
		msg := &nats.Msg{Subject: askMethod().Subject(), Data: body, Header: nats.Header{
			contract.HeaderTimeout: {timeout}, "traceparent": {traceparent},
		}}
		reply, err := nc.RequestMsg(msg, long)
		if err != nil {
			t.Fatalf("no answer: %v", err)
		}
		if reply.Header.Get(micro.ErrorCodeHeader) == "" {
			var rep echoReply
			if err := json.Unmarshal(reply.Data, &rep); err != nil || bytes.ContainsRune(reply.Data, '\n') {
				t.Fatalf("answered %q: %v", reply.Data, err)
			}
			return
		}
		var got fault.Error
		if err := json.Unmarshal(reply.Data, &got); err != nil {
			t.Fatalf("answered %q: %v", reply.Data, err)
		}
		if got.Code != fault.InvalidArgument && got.Code != fault.DeadlineExceeded {
			t.Fatalf("answered %v to %q", &got, body)
		}
	})
}

// Whatever a service answers, Call ends with a reply or a fault.
func FuzzCall(f *testing.F) {
	f.Add([]byte(`{"text":"a"}`), "", "")
	f.Add([]byte(`{"code":"not_found","detail":"x","errors":[{"field":"a"}],"retry_after_ms":-5}`), "404", "not_found")
	f.Add([]byte(`{"code":"teapot"}`), "418", "teapot")
	f.Add([]byte{}, "500", "")
	f.Add([]byte(`[`), "x", "unavailable")
	ns := startNATS(f)
	nc := connect(f, ns)
	c := rpc.NewClient(nc, rpc.ClientOptions{})
	answers := make(chan *nats.Msg, 1)
	if _, err := nc.Subscribe(askMethod().Subject(), func(m *nats.Msg) { _ = m.RespondMsg(<-answers) }); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, code, description string) {
		if len(body) > 512<<10 || strings.ContainsAny(code+description, "\r\n") {
			return // no NATS client sends it
		}
		answer := &nats.Msg{Data: body}
		if code != "" {
			answer.Header = nats.Header{micro.ErrorCodeHeader: {code}, micro.ErrorHeader: {description}}
		}
		answers <- answer
		_, err := rpc.Call(context.Background(), c, askMethod(), echoRequest{})
		if err == nil {
			return
		}
		got, ok := err.(*fault.Error)
		if !ok || !got.Code.Known() {
			t.Fatalf("got %v", err)
		}
	})
}
