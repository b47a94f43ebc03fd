package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// The opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

const (
	firstBuffer = 2 << 10  // of a socket's reads; it doubles while reads fill it
	maxBuffer   = 64 << 10 // but for a frame that is larger
	maxFrame    = 16 << 20
	dialWait    = 30 * time.Second
)

// closedError is a socket's end by a close frame.
type closedError struct{ code int }

func (e closedError) Error() string { return fmt.Sprintf("closed with %d", e.code) }

// refusedError is an upgrade that was answered otherwise.
type refusedError struct{ status int }

func (e refusedError) Error() string { return fmt.Sprintf("upgrade answered %d", e.status) }

// socket is the client's half of a WebSocket, no more of it than a gateway
// uses: no compression, no fragments but of text. A library's reader allocates
// for every frame and reads each on its own; this one takes what has come, many
// frames at once. One goroutine reads; any may write.
type socket struct {
	conn   net.Conn
	buf    []byte // buf[start:end] has been read and not been given out
	start  int
	end    int
	whole  []byte    // of a fragmented text, what came so far
	readAt time.Time // when the last bytes came: one look at the clock for all frames in them

	mu  sync.Mutex
	out []byte // a frame while it is written
}

// dialSocket connects to a gateway, given by its base URL, with the token in
// the header; empty: none.
func dialSocket(ctx context.Context, gateway, token string) (*socket, error) {
	u, err := url.Parse(gateway)
	if err != nil {
		return nil, fmt.Errorf("parse gateway: %w", err)
	}
	dialer := net.Dialer{Timeout: dialWait, KeepAlive: -1}
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	s := &socket{conn: conn, buf: make([]byte, firstBuffer)}
	if err := s.upgrade(ctx, u.Host, token); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

func (s *socket) upgrade(ctx context.Context, host, token string) error {
	var key [16]byte
	_, _ = rand.Read(key[:]) // never fails
	request := "GET /api/v1/ws HTTP/1.1\r\nHost: " + host + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.StdEncoding.EncodeToString(key[:]) + "\r\n"
	if token != "" {
		request += "Authorization: Bearer " + token + "\r\n"
	}
	deadline := time.Now().Add(dialWait)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := s.conn.SetDeadline(deadline); err != nil {
		return fmt.Errorf("upgrade: %w", err)
	}
	if _, err := io.WriteString(s.conn, request+"\r\n"); err != nil {
		return fmt.Errorf("upgrade: %w", err)
	}
	reader := bufio.NewReaderSize(s.conn, 512)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return fmt.Errorf("upgrade: %w", err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		return refusedError{response.StatusCode}
	}
	s.end, err = reader.Read(s.buf[:reader.Buffered()]) // frames may have come at once
	s.readAt = time.Now()
	return errors.Join(err, s.conn.SetDeadline(time.Time{}))
}

// next is the next text; it is good until the call after. Pings are answered.
// The error of a close frame is closedError.
func (s *socket) next() ([]byte, error) {
	for {
		head, payload, err := s.frame()
		if err != nil {
			return nil, err
		}
		last := head&0x80 != 0
		switch head & 0x0F {
		case opText, opContinuation:
			if last && len(s.whole) == 0 {
				return payload, nil
			}
			s.whole = append(s.whole, payload...)
			if last {
				whole := s.whole
				s.whole = nil
				return whole, nil
			}
		case opPing:
			if err := s.write(opPong, payload); err != nil {
				return nil, err
			}
		case opClose:
			if len(payload) < 2 {
				return nil, closedError{1005}
			}
			return nil, closedError{int(binary.BigEndian.Uint16(payload))}
		}
	}
}

// frame takes one frame out of the buffer, reading as much as it needs.
func (s *socket) frame() (head byte, payload []byte, err error) {
	if err := s.fill(2); err != nil {
		return 0, nil, err
	}
	head = s.buf[s.start]
	header, length := 2, int(s.buf[s.start+1])
	switch length {
	case 126:
		if err := s.fill(4); err != nil {
			return 0, nil, err
		}
		header, length = 4, int(binary.BigEndian.Uint16(s.buf[s.start+2:]))
	case 127:
		if err := s.fill(10); err != nil {
			return 0, nil, err
		}
		header, length = 10, int(min(binary.BigEndian.Uint64(s.buf[s.start+2:]), maxFrame+1))
	}
	if length > maxFrame {
		return 0, nil, fmt.Errorf("read frame: it has over %d bytes", maxFrame)
	}
	if err := s.fill(header + length); err != nil {
		return 0, nil, err
	}
	payload = s.buf[s.start+header : s.start+header+length]
	s.start += header + length
	return head, payload, nil
}

// fill reads until there are n bytes.
func (s *socket) fill(n int) error {
	for s.end-s.start < n {
		if s.start > 0 {
			s.end = copy(s.buf, s.buf[s.start:s.end])
			s.start = 0
		}
		if size := len(s.buf); size < n {
			s.buf = append(make([]byte, 0, n+size), s.buf[:s.end]...)[:n+size]
		}
		got, err := s.conn.Read(s.buf[s.end:])
		s.end += got
		s.readAt = time.Now()
		if err != nil && s.end-s.start < n {
			return fmt.Errorf("read: %w", err)
		}
		if s.end == len(s.buf) && s.end < maxBuffer {
			s.buf = append(s.buf, make([]byte, s.end)...) // more waits: fewer, larger reads
		}
	}
	return nil
}

// text writes a text frame.
func (s *socket) text(payload []byte) error { return s.write(opText, payload) }

// write sends a frame in one piece. Clients must mask what they send, so that
// no proxy takes it for something else; there is none here, and the mask of
// zeros changes nothing and costs nothing.
func (s *socket) write(op byte, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = append(s.out[:0], 0x80|op)
	switch n := len(payload); {
	case n < 126:
		s.out = append(s.out, 0x80|byte(n))
	case n < 1<<16:
		s.out = binary.BigEndian.AppendUint16(append(s.out, 0x80|126), uint16(n))
	default:
		s.out = binary.BigEndian.AppendUint64(append(s.out, 0x80|127), uint64(n))
	}
	s.out = append(append(s.out, 0, 0, 0, 0), payload...)
	if _, err := s.conn.Write(s.out); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

func (s *socket) close() { _ = s.conn.Close() }
