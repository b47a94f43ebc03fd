package person

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/pkg/contract"
)

// patience is how long anything may take that a test waits for.
const patience = 30 * time.Second

// Frame is any frame of a gateway.
type Frame struct {
	ID    string          `json:"id"`
	Op    contract.Op     `json:"op"`
	Data  json.RawMessage `json:"data"`
	Error *struct {
		Code         string `json:"code"`
		Detail       string `json:"detail"`
		RetryAfterMS int64  `json:"retry_after_ms"`
	} `json:"error"`
}

// Socket is a person's WebSocket. A goroutine, ended by the socket's end,
// reads it: replies go to who waits for them, pushes to the list.
type Socket struct {
	Ready contract.ReadyData

	ws *websocket.Conn

	mu      sync.Mutex
	next    int
	waiting map[string]chan Frame
	pushes  []Frame
	changed chan struct{} // closed and replaced at every push, and at the end
	err     error         // why it ended
}

// Dial opens a socket with the token in the header and waits until it is
// ready.
func (p *Person) Dial(t testing.TB) *Socket {
	t.Helper()
	s, err := p.TryDial(t.Context())
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { _ = s.ws.CloseNow() })
	return s
}

// TryDial is Dial for those who expect that it may fail.
func (p *Person) TryDial(ctx context.Context) (*Socket, error) {
	s, err := p.open(ctx, http.Header{"Authorization": {"Bearer " + p.Access}})
	if err != nil {
		return nil, err
	}
	frame, err := s.push(ctx, contract.OpReady, nil)
	if err != nil {
		return nil, err
	}
	return s, json.Unmarshal(frame.Data, &s.Ready)
}

// DialBare opens a socket that has not authenticated.
func (p *Person) DialBare(t testing.TB) *Socket {
	t.Helper()
	s, err := p.open(t.Context(), nil)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { _ = s.ws.CloseNow() })
	return s
}

func (p *Person) open(ctx context.Context, header http.Header) (*Socket, error) {
	url := "ws" + strings.TrimPrefix(p.Gateway, "http") + "/api/v1/ws"
	ws, response, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		if response != nil {
			return nil, fmt.Errorf("%d: %w", response.StatusCode, err)
		}
		return nil, err
	}
	ws.SetReadLimit(8 << 20)
	s := &Socket{ws: ws, waiting: map[string]chan Frame{}, changed: make(chan struct{})}
	go s.read()
	return s, nil
}

func (s *Socket) read() {
	for {
		_, data, err := s.ws.Read(context.Background()) // ended by closing the socket
		var frame Frame
		if err == nil {
			err = json.Unmarshal(data, &frame)
		}
		s.mu.Lock()
		if err != nil {
			s.err = err
			for _, wait := range s.waiting {
				close(wait)
			}
			s.waiting = nil
			close(s.changed)
			s.mu.Unlock()
			return
		}
		if wait, ok := s.waiting[frame.ID]; ok && (frame.Op == contract.OpOK || frame.Op == contract.OpError) {
			delete(s.waiting, frame.ID)
			wait <- frame
		} else {
			s.pushes = append(s.pushes, frame)
			close(s.changed)
			s.changed = make(chan struct{})
		}
		s.mu.Unlock()
	}
}

// errEnded says that the socket ended before what was waited for.
var errEnded = errors.New("the socket ended")

// Ask sends a frame and returns its reply.
func (s *Socket) Ask(ctx context.Context, op contract.Op, data any) (Frame, error) {
	wait := make(chan Frame, 1)
	s.mu.Lock()
	if s.waiting == nil {
		defer s.mu.Unlock()
		return Frame{}, fmt.Errorf("%w: %w", errEnded, s.err)
	}
	s.next++
	frameID := strconv.Itoa(s.next)
	s.waiting[frameID] = wait
	s.mu.Unlock()
	frame, err := json.Marshal(map[string]any{"id": frameID, "op": op, "data": data})
	if err != nil {
		return Frame{}, err
	}
	if err := s.ws.Write(ctx, websocket.MessageText, frame); err != nil {
		return Frame{}, err
	}
	select {
	case reply, ok := <-wait:
		if !ok {
			return Frame{}, errEnded
		}
		return reply, nil
	case <-ctx.Done():
		return Frame{}, ctx.Err()
	}
}

// Must asks and expects ok.
func (s *Socket) Must(t testing.TB, op contract.Op, data any) Frame {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	reply, err := s.Ask(ctx, op, data)
	if err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	if reply.Op != contract.OpOK {
		t.Fatalf("%s: refused: %+v", op, reply.Error)
	}
	return reply
}

// Refused asks and expects an error of that code.
func (s *Socket) Refused(t testing.TB, code string, op contract.Op, data any) Frame {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	reply, err := s.Ask(ctx, op, data)
	if err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	if reply.Op != contract.OpError || reply.Error == nil || reply.Error.Code != code {
		t.Fatalf("%s: got %s %s %+v, want error %s", op, reply.Op, reply.Data, reply.Error, code)
	}
	return reply
}

// Write sends bytes as they are.
func (s *Socket) Write(t testing.TB, data []byte) {
	t.Helper()
	if err := s.ws.Write(t.Context(), websocket.MessageText, data); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// Push waits for a push of that op that fits, and returns its data.
func Push[T any](t testing.TB, s *Socket, op contract.Op, fits func(T) bool) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var got T
	_, err := s.push(ctx, op, func(frame Frame) bool {
		var data T
		if json.Unmarshal(frame.Data, &data) != nil {
			return false
		}
		got = data
		return fits == nil || fits(data)
	})
	if err != nil {
		t.Fatalf("no fitting push %s: %v; got %s", op, err, s.ops())
	}
	return got
}

func (s *Socket) push(ctx context.Context, op contract.Op, fits func(Frame) bool) (Frame, error) {
	seen := 0
	for {
		s.mu.Lock()
		for ; seen < len(s.pushes); seen++ {
			if frame := s.pushes[seen]; frame.Op == op && (fits == nil || fits(frame)) {
				s.mu.Unlock()
				return frame, nil
			}
		}
		changed, err := s.changed, s.err
		s.mu.Unlock()
		if err != nil {
			return Frame{}, fmt.Errorf("%w: %w", errEnded, err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Frame{}, ctx.Err()
		}
	}
}

// Pushes returns what has been pushed so far.
func (s *Socket) Pushes() []Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Frame(nil), s.pushes...)
}

func (s *Socket) ops() string {
	var ops []string
	for _, frame := range s.Pushes() {
		ops = append(ops, string(frame.Op))
	}
	return strings.Join(ops, " ")
}

// Closed waits until the gateway closes the socket, and returns the code.
func (s *Socket) Closed(t testing.TB, within time.Duration) contract.CloseCode {
	t.Helper()
	deadline := time.After(within)
	for {
		s.mu.Lock()
		changed, err := s.changed, s.err
		s.mu.Unlock()
		if err != nil {
			return contract.CloseCode(websocket.CloseStatus(err))
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("still open after %v", within)
		}
	}
}

// Close ends the socket as a client does.
func (s *Socket) Close() { _ = s.ws.Close(websocket.StatusNormalClosure, "") }

// TryWrite sends bytes as they are, unless the socket is closed.
func (s *Socket) TryWrite(ctx context.Context, data []byte) error {
	return s.ws.Write(ctx, websocket.MessageText, data)
}
