package rpc_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/rpc"
)

// BenchmarkRoundTrip puts a call beside a bare nats.Request with the same
// bodies, one after the other and from many goroutines at once; and beside
// one that reads and writes the same JSON, which any caller must.
func BenchmarkRoundTrip(b *testing.B) {
	ns := startNATS(b)
	serveEcho(b, connect(b, ns), options(), nil)
	groups := serveGroups(b, connect(b, ns), options())
	close(groups.gate)
	server, client := connect(b, ns), connect(b, ns)
	respond := func(subject string, reply func([]byte) []byte) {
		if _, err := server.QueueSubscribe(subject, "q", func(m *nats.Msg) { _ = m.Respond(reply(m.Data)) }); err != nil {
			b.Fatal(err)
		}
	}
	req := echoRequest{Text: strings.Repeat("x", 200), Count: 3}
	body, err := json.Marshal(req)
	if err != nil {
		b.Fatal(err)
	}
	respond("bare", func(data []byte) []byte { return data })
	respond("json", func(data []byte) []byte {
		var in echoRequest
		if err := json.Unmarshal(data, &in); err != nil {
			b.Error(err)
		}
		out, err := json.Marshal(echoReply{Text: in.Text})
		if err != nil {
			b.Error(err)
		}
		return out
	})
	if err := server.Flush(); err != nil {
		b.Fatal(err)
	}
	c := rpc.NewClient(client, rpc.ClientOptions{})
	ctx := context.Background()
	for _, way := range []struct {
		name string
		call func() error
	}{
		{"nats", func() error {
			_, err := client.Request("bare", body, 5*time.Second)
			return err
		}},
		{"nats+json", func() error {
			data, err := json.Marshal(req)
			if err != nil {
				return err
			}
			msg, err := client.Request("json", data, 5*time.Second)
			if err != nil {
				return err
			}
			var rep echoReply
			return json.Unmarshal(msg.Data, &rep)
		}},
		{"rpc", func() error {
			_, err := rpc.Call(ctx, c, askMethod(), req)
			return err
		}},
		{"rpc-grouped", func() error {
			_, err := rpc.Call(ctx, c, groupMethod(), req)
			return err
		}},
	} {
		b.Run("one/"+way.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := way.call(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("many/"+way.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := way.call(); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkCall is one call after the other, alone.
func BenchmarkCall(b *testing.B) {
	ns := startNATS(b)
	serveEcho(b, connect(b, ns), options(), nil)
	c := rpc.NewClient(connect(b, ns), rpc.ClientOptions{})
	req := echoRequest{Text: strings.Repeat("x", 200), Count: 3}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rpc.Call(context.Background(), c, askMethod(), req); err != nil {
			b.Fatal(err)
		}
	}
}
