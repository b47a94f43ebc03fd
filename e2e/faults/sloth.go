package faults

import (
	"context"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/pkg/client"
)

// Sloth is a member of busy rooms who connects, asks for more and more, and
// reads nothing. A gateway must not wait for it, nor keep for it what it does
// not read: it closes it as too slow, which only the gateway can tell.
type Sloth struct {
	tokens client.TokenSource
	urls   []string // of gateways themselves: a proxy would be held up, too
	roomID string   // whose log it asks for

	Connects int // how often it connected
	Dropped  int // how often it then found its connection gone
}

const (
	// slothBuffer is the bytes that its socket takes in unread; the gateway's
	// takes megabytes.
	slothBuffer = 4 << 10
	// slothAsks is how often it asks.
	slothAsks = 100 * time.Millisecond
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
	ask := []byte(`{"id":"1","op":"messages.get","data":{"room_id":"` + s.roomID + `","limit":200}}`)
	for sleep(ctx, slothAsks) {
		writing, stop := context.WithTimeout(ctx, 2*silentCall)
		err := ws.Write(writing, websocket.MessageText, ask)
		stop()
		if err != nil && ctx.Err() == nil {
			s.Dropped++
		}
		if err != nil {
			return
		}
	}
}
