package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/coder/websocket"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/clock/clocktest"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/pkg/token"
)

// world is a gateway with a real NATS server and Redis, and what the other
// services answer: their methods over NATS, from a little state here.
type world struct {
	url    string // of the gateway
	nats   *server.Server
	redis  *miniredis.Miniredis
	nc     *nats.Conn // of someone who publishes
	key    token.Key
	signer *token.Signer
	tel    *telemetry.Telemetry
	stop   func() error
	ahead  atomic.Int64 // by how much the gateway's clock is ahead: a time.Duration

	mu      sync.Mutex
	rooms   map[string][]contract.RoomHeadRev // by user
	revoked []contract.RevokedSession
	sent    []contract.SendRequest
	// remembers has chat take the same client_id again as the same message.
	remembers bool
	// requests are the ids under which chat was asked to send.
	requests []string
	page     contract.HistoryReply // what chat answers to any reading
}

// newWorld starts it, with settings changed.
func newWorld(t *testing.T, change func(*Config)) *world {
	t.Helper()
	return newSiteWorld(t, change, nil)
}

// newSiteWorld starts it with a build of the web client; nil is the embedded one.
func newSiteWorld(t *testing.T, change func(*Config), site fs.FS) *world {
	t.Helper()
	srv := startNATS(t, -1)
	key, err := token.NewKey(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		nats:   srv,
		redis:  miniredis.RunT(t),
		key:    key,
		signer: token.NewSigner(key, time.Minute, time.Now),
		tel:    telemetry.Discard(contract.Gateway),
		rooms:  map[string][]contract.RoomHeadRev{},
	}
	dial := func() *nats.Conn {
		nc, err := nats.Connect(srv.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	w.nc = dial()
	w.auth(t, dial(), key)
	w.chat(t, dial())
	var cfg Config
	if err := run.Config("GATEWAY", &cfg); err != nil {
		t.Fatal(err)
	}
	cfg.NATS = bus.Config{URL: srv.ClientURL()}
	cfg.RedisURL = "redis://" + w.redis.Addr()
	if change != nil {
		change(&cfg)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + listener.Addr().String()
	w.stop = background(t, func(ctx context.Context) error {
		return Run(ctx, cfg, Deps{Telemetry: w.tel, Listener: listener, Site: site, Now: w.now})
	})
	eventually(t, "the gateway is ready", func() bool {
		response, err := http.Get(w.url + "/")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		states := w.tel.Health.States(t.Context())
		return len(states) == 5 && !slices.ContainsFunc(states, func(s telemetry.CheckState) bool { return s.Err != nil })
	})
	return w
}

// now is the time of the gateway's machine.
func (w *world) now() time.Time {
	return clocktest.Set(time.Now(), time.Duration(w.ahead.Load()))
}

// startNATS starts a server on the port, or on a free one for -1.
func startNATS(t testing.TB, port int) *server.Server {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	return srv
}

// natsAway stops the NATS server, and returns when the gateway has noticed.
func (w *world) natsAway(t *testing.T) {
	t.Helper()
	w.nats.Shutdown()
	w.nats.WaitForShutdown()
	eventually(t, "the gateway notices", func() bool { return w.check(t, "nats").Err != nil })
}

// natsBack starts it again, and returns when all are connected.
func (w *world) natsBack(t *testing.T) {
	t.Helper()
	u, err := url.Parse(w.nats.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	w.nats = startNATS(t, port)
	eventually(t, "all are connected", func() bool {
		return w.check(t, "nats").Err == nil && w.nats.NumClients() == 4
	})
}

// check is the state of one of the gateway's checks.
func (w *world) check(t *testing.T, name string) telemetry.CheckState {
	t.Helper()
	for _, state := range w.tel.Health.States(t.Context()) {
		if state.Name == name {
			return state
		}
	}
	t.Fatalf("there is no check %s", name)
	return telemetry.CheckState{}
}

// background runs a part until the test ends, or stop is called.
func background(t testing.TB, f func(context.Context) error) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }() // ended by cancel, joined by stop
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return stop
}

func (w *world) auth(t *testing.T, nc *nats.Conn, key token.Key) {
	t.Helper()
	s := rpc.NewServer(nc, rpc.ServerOptions{Service: contract.Auth})
	rpc.Handle(s, contract.GetKeys, func(context.Context, contract.Empty) (contract.GetKeysReply, error) {
		return contract.GetKeysReply{JWKS: token.JWKS(key), Now: contract.NewTime(time.Now()), Trusted: true}, nil
	})
	rpc.Handle(s, contract.ListRevoked, w.listRevoked)
	background(t, s.Run)
}

// revokedPage is how many ended sessions a page of the world's auth has; its
// cursors are places in the list.
const revokedPage = 3

func (w *world) listRevoked(_ context.Context, req contract.RevokedRequest) (contract.RevokedReply, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	from, err := strconv.Atoi("0" + req.Cursor)
	if err != nil {
		return contract.RevokedReply{}, fault.Invalid("cursor", "is none that was given out")
	}
	to := min(from+revokedPage, len(w.revoked))
	return contract.RevokedReply{Sessions: w.revoked[from:to], Cursor: strconv.Itoa(to), More: to < len(w.revoked)}, nil
}

// headsOnPage is how many rooms a page of the world's chat has.
const headsOnPage = 3

// headsPage is a page of rooms, as chat cuts it.
func headsPage(rooms []contract.RoomHeadRev, after string, most int) contract.ListHeadsReply {
	rooms = slices.DeleteFunc(slices.Clone(rooms), func(room contract.RoomHeadRev) bool { return room.ID <= after })
	if len(rooms) <= most {
		return contract.ListHeadsReply{Rooms: rooms}
	}
	slices.SortFunc(rooms, func(a, b contract.RoomHeadRev) int { return strings.Compare(a.ID, b.ID) })
	return contract.ListHeadsReply{Rooms: rooms[:most], NextCursor: rooms[most-1].ID}
}

func (w *world) chat(t *testing.T, nc *nats.Conn) {
	t.Helper()
	s := rpc.NewServer(nc, rpc.ServerOptions{Service: contract.Chat})
	rpc.Handle(s, contract.ListHeads, func(_ context.Context, req contract.ListHeadsRequest) (contract.ListHeadsReply, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return headsPage(w.rooms[req.Caller.UserID], req.Cursor, headsOnPage), nil
	})
	rpc.Handle(s, contract.SetRead, func(context.Context, contract.MessageRequest) (contract.Empty, error) {
		return contract.Empty{}, nil
	})
	rpc.Handle(s, contract.GetMessages, func(context.Context, contract.HistoryRequest) (contract.HistoryReply, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.page, nil
	})
	rpc.Handle(s, contract.SendMessage, func(ctx context.Context, req contract.SendRequest) (contract.SendReply, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.requests = append(w.requests, telemetry.RequestID(ctx))
		before := slices.IndexFunc(w.sent, func(s contract.SendRequest) bool {
			return s.Caller == req.Caller && s.RoomID == req.RoomID && s.ClientID == req.ClientID
		})
		if w.remembers && before >= 0 {
			return contract.SendReply{RoomID: req.RoomID, Seq: int64(before + 1), ID: "m", Duplicate: true}, nil
		}
		w.sent = append(w.sent, req)
		return contract.SendReply{RoomID: req.RoomID, Seq: int64(len(w.sent)), ID: "m"}, nil
	})
	background(t, s.Run)
}

// in puts the user into rooms.
func (w *world) in(userID string, rooms ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rooms[userID] = nil
	for _, id := range rooms {
		w.rooms[userID] = append(w.rooms[userID], contract.RoomHeadRev{RoomHead: contract.RoomHead{ID: id, FirstSeq: 1}, Rev: 1})
	}
}

func (w *world) token(t *testing.T, userID, sessionID string) string {
	t.Helper()
	raw, _, err := w.signer.Sign(userID, sessionID)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// dial opens a socket; an empty token leaves the header away.
func (w *world) dial(t *testing.T, raw string) *websocket.Conn {
	t.Helper()
	header := http.Header{}
	if raw != "" {
		header.Set("Authorization", "Bearer "+raw)
	}
	ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(w.url, "http")+socketPath, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = ws.CloseNow() })
	return ws
}

// dialRaw opens a socket that does nothing by itself: it answers no ping and no
// close frame, and reads only what the test reads.
func (w *world) dialRaw(t *testing.T, raw string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	request := "GET " + socketPath + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	if raw != "" {
		request += "Authorization: Bearer " + raw + "\r\n"
	}
	if _, err := conn.Write([]byte(request + "\r\n")); err != nil {
		t.Fatal(err)
	}
	return conn
}

// rawFrame is a client's frame of at most 125 bytes, masked with zeros.
func rawFrame[T ~int | ~byte](op T, payload string) []byte {
	return append([]byte{0x80 | byte(op), 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

// readUntil reads from a raw socket until the text has come.
func readUntil(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	readTimes(t, conn, text, 1)
}

// readTimes reads from a raw socket until the text has come n times.
func readTimes(t *testing.T, conn net.Conn, text string, n int) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	var got []byte
	for buf := make([]byte, 512); bytes.Count(got, []byte(text)) < n; {
		read, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("%v instead of %q, after %q", err, text, got)
		}
		got = append(got, buf[:read]...)
	}
}

// next reads one frame, or the reason why there is none.
func next(t *testing.T, ws *websocket.Conn) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, frame, err := ws.Read(ctx)
	return string(frame), err
}

// closed reads until the gateway closes, and returns the code.
func closed(t *testing.T, ws *websocket.Conn) contract.CloseCode {
	t.Helper()
	for {
		if _, err := next(t, ws); err != nil {
			return contract.CloseCode(websocket.CloseStatus(err))
		}
	}
}

// ended waits until n connections have ended so, and no more.
func (w *world) ended(t *testing.T, e *ending, n float64) {
	t.Helper()
	code := "none"
	if e.code != 0 {
		code = strconv.Itoa(int(e.code))
	}
	eventually(t, fmt.Sprintf("%v connections have ended: %s, %s", n, code, e.reason), func() bool {
		return w.metric(t, "parley_gateway_closes_total", code, e.reason) == n
	})
}

// get asks over HTTP and returns the status.
func (w *world) get(t *testing.T, path, raw string) int {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, w.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+raw)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// observations is how many values a histogram without labels has.
func (w *world) observations(t *testing.T, name string) uint64 {
	t.Helper()
	families, err := w.tel.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetHistogram().GetSampleCount()
		}
	}
	return 0
}

// metric is the value of the gateway's counter or gauge with these values of
// its labels, other than service, in the order of their names; 0 while there
// is none.
func (w *world) metric(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	families, err := w.tel.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				if l.GetName() != "service" {
					values = append(values, l.GetValue())
				}
			}
			if slices.Equal(values, labels) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return 0
}
