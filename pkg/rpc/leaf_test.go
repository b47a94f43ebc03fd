package rpc_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

// TestServer_leaf_methods_have_workers_of_their_own: all workers of two services
// carry out requests that ask the other service, and none waits for ever.
func TestServer_leaf_methods_have_workers_of_their_own(t *testing.T) {
	ns := startNATS(t)
	type method = contract.Method[echoRequest, echoReply]
	join, member := method{Service: contract.Social, Name: "join"}, method{Service: contract.Social, Name: "member", Leaf: true}
	send, head := method{Service: contract.Chat, Name: "send"}, method{Service: contract.Chat, Name: "head", Leaf: true}
	const workers = 2
	var busy sync.WaitGroup // until the workers of both are
	busy.Add(2 * workers)
	serve := func(own, asked, leaf method) {
		nc := connect(t, ns)
		calls := rpc.NewClient(nc, rpc.ClientOptions{})
		s := rpc.NewServer(nc, rpc.ServerOptions{Service: own.Service, Version: "1.2.3", Workers: workers})
		rpc.Handle(s, own, func(ctx context.Context, r echoRequest) (echoReply, error) {
			busy.Done()
			busy.Wait()
			return rpc.Call(ctx, calls, asked, r)
		})
		rpc.Handle(s, leaf, func(_ context.Context, r echoRequest) (echoReply, error) { return echoReply{Text: r.Text}, nil })
		start(t, s)
	}
	serve(join, head, member)
	serve(send, member, head)
	calls := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for range workers {
		for _, m := range []method{join, send} {
			all.Go(func() {
				if got, err := rpc.Call(ctx, calls, m, echoRequest{Text: "hello"}); err != nil || got.Text != "hello" {
					t.Errorf("%s: %+v, %v", m.Name, got, err)
				}
			})
		}
	}
	all.Wait()
}
