package faults

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
)

// Sloth is a member of busy rooms who connects and then reads nothing. A
// gateway must not wait for it, nor keep for it what it does not read.
type Sloth struct {
	tokens client.TokenSource
	urls   []string // of gateways themselves: a proxy would be held up, too
	roomID string   // whose log it asks for, to be told too much

	Connects int // how often it connected
	TooSlow  int // how often it was seen to be closed as too slow
	Dropped  int // how often its connection was gone before
}

const (
	// slothBuffer is the bytes that its socket takes in unread.
	slothBuffer = 4 << 10
	// slothPing is how often it shows that it lives.
	slothPing = 2 * time.Second
	// slothPings is how often it does so before it asks for too much.
	slothPings = 6
	// slothAsks is how many pages it asks for then.
	slothAsks = 30
	// slothWait is how long it goes on not reading: less than a gateway gives
	// to the write that is blocked.
	slothWait = 700 * time.Millisecond
	// slothLast is how long it reads in the end, for the close code.
	slothLast = 5 * time.Second
)

// Run connects again and again until ctx ends.
func (s *Sloth) Run(ctx context.Context) {
	old := ""
	for i := 0; ctx.Err() == nil; i++ {
		token, err := s.tokens.Token(ctx, old)
		if err == nil {
			old = token.Access
			s.sit(ctx, s.urls[i%len(s.urls)], token.Access)
		}
		sleep(ctx, 500*time.Millisecond)
	}
}

// sit connects and reads nothing until the gateway has had enough.
func (s *Sloth) sit(ctx context.Context, url, token string) {
	dialer := &net.Dialer{Timeout: 2 * time.Second, Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, slothBuffer) // larger: it takes longer
		})
	}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opening, stop := context.WithTimeout(ctx, 2*silentCall)
	defer stop()
	ws, response, err := websocket.Dial(opening, "ws"+strings.TrimPrefix(url, "http")+"/api/v1/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}},
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
	})
	if err != nil {
		if response != nil {
			_ = response.Body.Close()
		}
		return
	}
	defer func() { _ = ws.CloseNow() }() // it is gone, or to be
	s.Connects++
	ws.SetReadLimit(8 << 20)
	for range slothPings {
		if !sleep(ctx, slothPing) || !s.write(ctx, ws, `{"id":"1","op":"ping"}`) {
			return
		}
	}
	for range slothAsks {
		if !s.write(ctx, ws, `{"id":"2","op":"messages.get","data":{"room_id":"`+s.roomID+`","limit":200}}`) {
			return
		}
	}
	if sleep(ctx, slothWait) && s.code(ctx, ws) == contract.CloseTooSlow {
		s.TooSlow++
	}
}

// write is false when the connection is gone.
func (s *Sloth) write(ctx context.Context, ws *websocket.Conn, frame string) bool {
	writing, stop := context.WithTimeout(ctx, slothPing)
	defer stop()
	err := ws.Write(writing, websocket.MessageText, []byte(frame))
	if err != nil && ctx.Err() == nil {
		s.Dropped++
	}
	return err == nil
}

// code reads what is left, and returns the close code at its end, if it is
// there: the gateway may not have got it through. Zero: it is not.
func (s *Sloth) code(ctx context.Context, ws *websocket.Conn) contract.CloseCode {
	ctx, cancel := context.WithTimeout(ctx, slothLast)
	defer cancel()
	for {
		_, r, err := ws.Reader(ctx)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		if err != nil {
			var closed websocket.CloseError
			if errors.As(err, &closed) {
				return contract.CloseCode(closed.Code)
			}
			return 0
		}
	}
}
