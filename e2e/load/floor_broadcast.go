package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"runtime"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// broadcaster is the floor of a group: it numbers what comes and writes it to
// every socket, one write for each message and socket, and nothing else. No
// authentication, no storage, no other process. It speaks Parley's frames, so
// that the same devices measure it, and uses all processors, in a shard of the
// sockets each.
type broadcaster struct {
	sender   string
	upgrader websocket.FastHTTPUpgrader
	shards   []*floorShard

	mu  sync.Mutex // of the order, the same for everyone
	seq int64
	in  int // connections that ever came
}

// floorShard writes to its sockets, in order.
type floorShard struct {
	frames chan floorFrame

	mu    sync.Mutex
	conns map[*websocket.Conn]struct{}
}

// floorFrame is for all sockets of a shard, or only for one.
type floorFrame struct {
	frame *websocket.PreparedMessage
	only  *websocket.Conn
}

// floorQueue is how many frames may wait for a shard; then senders wait.
const floorQueue = 64

// floorRoom is its only room.
const floorRoom = "01FLOOR0000000000000000000"

// serveBroadcast serves until stop.
func serveBroadcast(ctx context.Context) (addr string, stop func(), err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("serve broadcast: %w", err)
	}
	b := &broadcaster{
		sender:   id.New(),
		upgrader: websocket.FastHTTPUpgrader{ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: new(sync.Pool)},
	}
	for range runtime.GOMAXPROCS(0) {
		shard := &floorShard{frames: make(chan floorFrame, floorQueue), conns: map[*websocket.Conn]struct{}{}}
		b.shards = append(b.shards, shard)
		go shard.write() // ends with the process
	}
	server := &fasthttp.Server{Handler: func(r *fasthttp.RequestCtx) { _ = b.upgrader.Upgrade(r, b.serve) }}
	go func() { _ = server.Serve(l) }() // ended by stop
	return l.Addr().String(), func() { _ = l.Close() }, nil
}

func (s *floorShard) write() {
	for f := range s.frames {
		s.mu.Lock()
		if _, here := s.conns[f.only]; here {
			_ = f.only.WritePreparedMessage(f.frame) // its own reader finds out, as below
		}
		if f.only == nil {
			for c := range s.conns {
				_ = c.WritePreparedMessage(f.frame)
			}
		}
		s.mu.Unlock()
	}
}

func (s *floorShard) remove(c *websocket.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// serve is one connection.
func (b *broadcaster) serve(c *websocket.Conn) {
	shard, err := b.add(c)
	if err != nil {
		return
	}
	defer shard.remove(c)
	for {
		_, raw, err := c.ReadMessage()
		if err != nil {
			return
		}
		var f struct {
			ID   string            `json:"id"`
			Data contract.SendData `json:"data"`
		}
		if json.Unmarshal(raw, &f) != nil || b.broadcast(shard, c, f.ID, f.Data) != nil {
			return
		}
	}
}

// add has the connection get everything from now on, after ready.
func (b *broadcaster) add(c *websocket.Conn) (*floorShard, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ready, err := contract.Ready.Encode(contract.ReadyData{Rooms: []contract.RoomHead{{ID: floorRoom, FirstSeq: 1, LastSeq: b.seq}}})
	if err != nil {
		return nil, err
	}
	prepared, err := websocket.NewPreparedMessage(websocket.TextMessage, ready)
	if err != nil {
		return nil, err
	}
	shard := b.shards[b.in%len(b.shards)]
	b.in++
	shard.mu.Lock()
	defer shard.mu.Unlock()
	shard.conns[c] = struct{}{}
	return shard, c.WritePreparedMessage(prepared)
}

// broadcast answers the sender and writes to all.
func (b *broadcaster) broadcast(shard *floorShard, sender *websocket.Conn, frameID string, sent contract.SendData) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	m := contract.Message{
		ID: id.New(), RoomID: floorRoom, Seq: b.seq, ClientID: sent.ClientID, SenderID: b.sender,
		Type: sent.Type, Content: sent.Content, SentAt: contract.NewTime(time.Now()),
	}
	push, err := contract.MessagePushed.Encode(m)
	if err != nil {
		return err
	}
	ack, err := json.Marshal(contract.Reply[contract.SendReply]{
		ID: frameID, Op: contract.OpOK, Data: contract.SendReply{RoomID: m.RoomID, Seq: m.Seq, ID: m.ID, SentAt: m.SentAt},
	})
	if err != nil {
		return err
	}
	answer, err := websocket.NewPreparedMessage(websocket.TextMessage, ack)
	if err != nil {
		return err
	}
	all, err := websocket.NewPreparedMessage(websocket.TextMessage, push)
	if err != nil {
		return err
	}
	shard.frames <- floorFrame{frame: answer, only: sender}
	for _, s := range b.shards {
		s.frames <- floorFrame{frame: all}
	}
	return nil
}

// broadcastFloor drives such a server as the scenario drives Parley, with as
// many connections.
func broadcastFloor(conns func(*stage) int, drive func(context.Context, *stage, *run) error) func(context.Context, *stage) (*floor, error) {
	return func(ctx context.Context, s *stage) (*floor, error) {
		server, err := startChild(ctx, "broadcast")
		if err != nil {
			return nil, err
		}
		defer server.stop()
		bare := *s
		bare.duration, bare.history = min(s.duration, floorTime), 0
		bare.drive, bare.watched = drive, []process{server.process()}
		r := newRun(s.text)
		for range conns(s) {
			r.device("http://"+server.addr, func(context.Context) (string, error) { return "", nil })
		}
		r.room(floorRoom, r.devices...)
		rep, err := bare.measureRun(ctx, r)
		if err != nil {
			return nil, err
		}
		if rep.Lost > 0 || rep.Doubled > 0 {
			return nil, fmt.Errorf("the bare broadcast lost %d and doubled %d", rep.Lost, rep.Doubled)
		}
		f := &floor{What: "bare broadcast", Figures: map[string]float64{
			figDeliveries: rep.DeliveriesPerSecond, figDeliveryCPU: rep.CPUPer100kDeliveries, figMemory: rep.MemoryPerConnection,
		}}
		if len(rep.Storms) > 0 {
			f.Figures[figStorm] = rep.Storms[0]
		}
		maps.DeleteFunc(f.Figures, func(_ string, v float64) bool { return v == 0 })
		return f, nil
	}
}

func byConns(s *stage) int   { return s.conns }
func byMembers(s *stage) int { return s.members }
