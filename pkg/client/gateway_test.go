package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// patience is how long anything may take that a test waits for.
const patience = 20 * time.Second

// gateway speaks a gateway's half of the protocol and can be as unreliable as
// a network: the real ones are met in e2e, but they lose too little.
type gateway struct {
	*httptest.Server
	*world

	mu       sync.Mutex
	sockets  map[*socket]bool
	upgrades int
	// refuse, if set, answers an upgrade instead: a status and Retry-After.
	refuse func(token string) (status int, retryAfter string)
	// greet, if set, sees a new socket; false: there is no ready frame.
	greet func(s *socket, token string) bool
	// answer, if set, may answer a frame instead; handled says that it did.
	answer    func(s *socket, f contract.Frame) (handled bool)
	heartbeat time.Duration
}

// world is what all gateways of a test have behind them.
type world struct {
	mu    sync.Mutex
	rooms map[string]*log
	auths []string // tokens that were seen, on upgrades and in auth frames
}

type log struct {
	first    int64 // the first seq that the user may read
	messages []contract.Message
	closed   bool // not the user's any more
}

type socket struct {
	ws *websocket.Conn
	t  *testing.T
}

func newWorld() *world { return &world{rooms: map[string]*log{}} }

func (w *world) gateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{world: w, sockets: map[*socket]bool{}, heartbeat: time.Minute}
	g.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { g.serve(t, rw, r) }))
	t.Cleanup(func() {
		g.closeAll(websocket.StatusGoingAway)
		g.Close()
	})
	return g
}

// append stores a message in the room, made if needed, and returns it.
func (w *world) append(room, clientID, text string) contract.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.room(room)
	for _, m := range l.messages {
		if m.ClientID == clientID {
			return m
		}
	}
	m := contract.Message{
		ID: fmt.Sprintf("%s-%d", room, len(l.messages)+1), RoomID: room, Seq: int64(len(l.messages) + 1), ClientID: clientID,
		SenderID: "someone", Type: contract.MessageText, Content: contract.Content{Text: text},
	}
	l.messages = append(l.messages, m)
	return m
}

func (w *world) room(id string) *log {
	l, ok := w.rooms[id]
	if !ok {
		l = &log{first: 1}
		w.rooms[id] = l
	}
	return l
}

// change changes what a room is to the user.
func (w *world) change(id string, change func(*log)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w.room(id))
}

func (w *world) heads() []contract.RoomHead {
	w.mu.Lock()
	defer w.mu.Unlock()
	heads := []contract.RoomHead{}
	for id, l := range w.rooms {
		if !l.closed {
			heads = append(heads, contract.RoomHead{ID: id, FirstSeq: l.first, LastSeq: int64(len(l.messages))})
		}
	}
	return heads
}

func (w *world) page(d contract.GetData) (contract.HistoryReply, *fault.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l, ok := w.rooms[d.RoomID]
	if !ok || l.closed {
		return contract.HistoryReply{}, fault.New(fault.NotFound, "there is no such room")
	}
	from := max(*d.AfterSeq+1, l.first)
	to := min(from+int64(d.Limit)-1, int64(len(l.messages)))
	reply := contract.HistoryReply{Items: []contract.Message{}, LastSeq: int64(len(l.messages)), HasMore: to < int64(len(l.messages))}
	for seq := from; seq <= to; seq++ {
		reply.Items = append(reply.Items, l.messages[seq-1])
	}
	return reply, nil
}

func (w *world) sawToken(token string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.auths = append(w.auths, token)
}

func (w *world) tokens() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.auths...)
}

func (g *gateway) serve(t *testing.T, rw http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	g.sawToken(token)
	g.mu.Lock()
	g.upgrades++
	refuse, greet := g.refuse, g.greet
	g.mu.Unlock()
	if refuse != nil {
		if status, after := refuse(token); status != 0 {
			rw.Header().Set("Retry-After", after)
			rw.WriteHeader(status)
			return
		}
	}
	ws, err := websocket.Accept(rw, r, nil)
	if err != nil {
		return
	}
	s := &socket{ws: ws, t: t}
	if greet != nil && !greet(s, token) {
		return
	}
	g.mu.Lock()
	g.sockets[s] = true
	g.mu.Unlock()
	s.push(contract.Ready, contract.ReadyData{
		UserID: "me", HeartbeatMS: g.heartbeat.Milliseconds(), Rooms: g.heads(),
		Limits: contract.Limits{SendsPerSecond: 1e6, SendBurst: 1e6},
	})
	defer func() {
		g.mu.Lock()
		delete(g.sockets, s)
		g.mu.Unlock()
		_ = ws.CloseNow()
	}()
	for {
		_, data, err := ws.Read(r.Context())
		if err != nil {
			return
		}
		var f contract.Frame
		if err := json.Unmarshal(data, &f); err != nil {
			t.Errorf("a bad frame: %s", data)
			return
		}
		g.mu.Lock()
		answer := g.answer
		g.mu.Unlock()
		if answer == nil || !answer(s, f) {
			g.carryOut(s, f)
		}
	}
}

func (g *gateway) carryOut(s *socket, f contract.Frame) {
	switch f.Op {
	case contract.OpAuth:
		d := decode[contract.AuthData](s.t, f.Data)
		g.sawToken(d.Token)
		s.ok(f, contract.ReadyData{UserID: "me"})
	case contract.OpMessagesGet:
		page, refused := g.page(decode[contract.GetData](s.t, f.Data))
		if refused != nil {
			s.refuse(f, refused)
			return
		}
		s.ok(f, page)
	case contract.OpMessageSend:
		d := decode[contract.SendData](s.t, f.Data)
		m := g.append(d.RoomID, d.ClientID, d.Content.Text)
		s.ok(f, contract.SendReply{RoomID: m.RoomID, Seq: m.Seq, ID: m.ID, SentAt: m.SentAt})
	default:
		s.ok(f, contract.Empty{})
	}
}

func decode[T any](t *testing.T, data []byte) T {
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Errorf("decode %s: %v", data, err)
	}
	return v
}

func (s *socket) write(v any) {
	data, err := json.Marshal(v)
	if err != nil {
		s.t.Errorf("encode: %v", err)
		return
	}
	_ = s.ws.Write(context.Background(), websocket.MessageText, data) // the client may have gone
}

func (s *socket) ok(f contract.Frame, data any) {
	s.write(map[string]any{"id": f.ID, "op": contract.OpOK, "data": data})
}

func (s *socket) refuse(f contract.Frame, err *fault.Error) {
	s.write(map[string]any{"id": f.ID, "op": contract.OpError, "error": err})
}

// push is a free function's worth: methods have no type parameters.
func (s *socket) push(kind interface{ Info() contract.PushInfo }, data any) {
	s.write(map[string]any{"op": kind.Info().Op, "data": data})
}

// each does something to all open sockets.
func (g *gateway) each(do func(*socket)) {
	g.mu.Lock()
	var list []*socket
	for s := range g.sockets {
		list = append(list, s)
	}
	g.mu.Unlock()
	for _, s := range list {
		do(s)
	}
}

func (g *gateway) closeAll(code websocket.StatusCode) {
	g.each(func(s *socket) { _ = s.ws.Close(code, "") })
}

// set changes how the gateway behaves.
func (g *gateway) set(change func(*gateway)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(g)
}

func (g *gateway) connects() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.upgrades
}

// dial connects a client from the first messages on, unless o says otherwise.
func dial(t *testing.T, o client.Options, gateways ...*gateway) *client.Client {
	t.Helper()
	for _, g := range gateways {
		o.Gateways = append(o.Gateways, g.URL)
	}
	if o.Tokens == nil {
		o.Tokens = &source{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Dial(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// source gives token-1, token-2, …
type source struct {
	mu    sync.Mutex
	given int
	ttl   time.Duration // 0: an hour
	err   error
}

func (s *source) Token(context.Context, string) (client.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return client.Token{}, s.err
	}
	s.given++
	ttl := s.ttl
	if ttl == 0 {
		ttl = time.Hour
	}
	return client.Token{Access: fmt.Sprintf("token-%d", s.given), ExpiresAt: time.Now().Add(ttl)}, nil
}

func (s *source) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// expect takes events until one of that type fits.
func expect[T client.Event](t *testing.T, c *client.Client, fits func(T) bool) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		e, err := c.Next(ctx)
		if err != nil {
			t.Fatalf("waiting for a %T: %v; %+v", *new(T), err, c.Stats())
		}
		if got, ok := e.(T); ok && (fits == nil || fits(got)) {
			return got
		}
	}
}

// follow takes messages of the room until seq last, and checks that they come
// from seq first on, each once and in order.
func follow(t *testing.T, c *client.Client, room string, first, last int64) {
	t.Helper()
	for want := first; want <= last; want++ {
		m := expect(t, c, func(m *client.Message) bool { return m.RoomID == room })
		if m.Seq != want {
			t.Fatalf("got seq %d of %s, want %d; %+v", m.Seq, room, want, c.Stats())
		}
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
