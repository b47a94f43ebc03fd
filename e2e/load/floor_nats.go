package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

const natsReady = 10 * time.Second

// serveNATS runs a bare NATS server until stop.
func serveNATS(context.Context) (addr string, stop func(), err error) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		return "", nil, fmt.Errorf("serve nats: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(natsReady) {
		return "", nil, fmt.Errorf("serve nats: not ready after %v", natsReady)
	}
	return s.Addr().String(), s.Shutdown, nil
}

// natsFloor does the work of persist over nats.go alone: each user is a
// connection, each group a subject, and a ping after each message is its
// acknowledgement. It returns sends a second.
func natsFloor(ctx context.Context, s *stage) (float64, error) {
	child, err := startChild(ctx, "nats")
	if err != nil {
		return 0, err
	}
	defer child.stop()
	frame, err := contract.MessagePushed.Encode(contract.Message{
		ID: id.New(), RoomID: floorRoom, Seq: 1000, ClientID: string(make([]byte, len(clientID{}))), SenderID: id.New(),
		Type: contract.MessageText, Content: contract.Content{Text: newRun(s.text).text}, SentAt: contract.NewTime(time.Now()),
	})
	if err != nil {
		return 0, err
	}
	var delivered atomic.Int64
	users := make([]*nats.Conn, s.conns)
	for i := range users {
		nc, err := nats.Connect(child.addr)
		if err != nil {
			return 0, fmt.Errorf("connect to nats: %w", err)
		}
		defer nc.Close()
		if _, err := nc.Subscribe(natsGroup(i, s), func(*nats.Msg) { delivered.Add(1) }); err != nil {
			return 0, fmt.Errorf("subscribe: %w", err)
		}
		if err := nc.Flush(); err != nil {
			return 0, fmt.Errorf("subscribe: %w", err)
		}
		users[i] = nc
	}
	ctx, cancel := context.WithTimeout(ctx, min(s.duration, floorTime))
	defer cancel()
	began := time.Now()
	var sent atomic.Int64
	var senders sync.WaitGroup
	for i, nc := range users {
		senders.Go(func() { // ends with ctx, joined below
			for ctx.Err() == nil && nc.Publish(natsGroup(i, s), frame) == nil && nc.FlushWithContext(ctx) == nil {
				sent.Add(1)
			}
		})
	}
	senders.Wait()
	if delivered.Load() == 0 {
		return 0, fmt.Errorf("bare nats delivered nothing")
	}
	return float64(sent.Load()) / time.Since(began).Seconds(), nil
}

func natsGroup(user int, s *stage) string { return fmt.Sprintf("group.%d", user/s.members) }
