package gateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"testing"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

const testLimit = 70_000

// clientFrame is a frame as clients send it.
func clientFrame(first byte, payload []byte, mask [maskBytes]byte) []byte {
	b := wireFrame(first, nil)[:1]
	switch n := len(payload); {
	case n < 126:
		b = append(b, maskBit|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, maskBit|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, maskBit|127), uint64(n))
	}
	b = append(b, mask[:]...)
	masked := bytes.Clone(payload)
	for i := range masked {
		masked[i] ^= mask[i%maskBytes]
	}
	return append(b, masked...)
}

// script is what a client sends: mostly frames as they should be, in one piece
// or in several with pings between, and now and then something else.
func script(r *rand.Rand) (sent []byte) {
	payload := func(limit int) []byte {
		text := []byte("a text that is as long as it is, ")
		return bytes.Repeat(text[r.IntN(10):], limit/10)[:r.IntN(limit)]
	}
	mask := func() (m [maskBytes]byte) {
		binary.LittleEndian.PutUint32(m[:], r.Uint32())
		return m
	}
	add := func(first byte, payload []byte) { sent = append(sent, clientFrame(first, payload, mask())...) }
	for range 1 + r.IntN(8) {
		switch r.IntN(12) {
		case 0:
			add(finBit|opPing, payload(126))
		case 1:
			add(finBit|opPong, payload(126))
		case 2: // in pieces
			add(opText, payload(300))
			for range r.IntN(4) {
				add(opContinuation, payload(300))
				add(finBit|opPing, payload(20))
			}
			add(finBit|opContinuation, payload(300))
		case 3: // too large together
			add(opBinary, payload(40_000))
			add(finBit|opContinuation, payload(60_000))
		case 4:
			codes := []uint16{1000, 1001, 1004, 1005, 1006, 1007, 1012, 1014, 1015, 2999, 3000, 4999, 5000, 0}
			body := binary.BigEndian.AppendUint16(nil, codes[r.IntN(len(codes))])
			body = append(body, payload(30)...)[:r.IntN(3)+len(body)-2+r.IntN(2)]
			if len(body) == 1 { // the library takes it for an empty one
				body = nil
			}
			add(finBit|opClose, body)
		case 5: // anything
			add(byte(r.IntN(256)), payload(200))
		case 6: // a byte that is not as it was
			add(finBit|opText, payload(100))
			sent[r.IntN(len(sent))] ^= 1 << r.IntN(8)
		case 7: // larger than a buffer
			add(finBit|opText, payload(testLimit+20))
		default:
			add(finBit|opText, payload(300))
		}
	}
	return sent
}

// events are the messages and control frames that were read, and how it ended.
type events []string

func (e *events) add(what string, payload []byte) {
	*e = append(*e, fmt.Sprintf("%s %d %x", what, len(payload), payload))
}

// ours is what inbound reads of what comes in pieces.
func ours(t *testing.T, r *rand.Rand, sent []byte) (got events) {
	t.Helper()
	here, there := net.Pipe()
	early := make([]byte, min(r.IntN(200), len(sent)))
	pieces := rand.New(rand.NewPCG(r.Uint64(), 0))
	go func(left []byte) { // ends when all is written, or here is closed
		defer there.Close()
		for len(left) > 0 {
			n := min(1+pieces.IntN(5000), len(left))
			if _, err := there.Write(left[:n]); err != nil {
				return
			}
			left = left[n:]
		}
	}(sent)
	defer here.Close()
	in := inbound{limit: testLimit}
	if n, err := io.ReadFull(here, early); err != nil || n != len(early) {
		t.Fatal(err)
	}
	in.open(here, early)
	for {
		op, payload, err := in.next()
		if errors.Is(err, errMore) {
			if err = in.fill(); err == nil {
				continue
			}
		}
		if err == nil && op == opClose {
			if _, err = checkClose(payload); err == nil {
				err = errClosed
			}
		}
		if err != nil {
			return append(got, "end "+readEnding(err).reason)
		}
		got.add(map[byte]string{opText: "text", opBinary: "binary", opPing: "ping", opPong: "pong"}[op], payload)
	}
}

// theirs is what the library's server reads of the same.
func theirs(t *testing.T, sent []byte) (got events) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	done := make(chan events, 1)
	upgrader := websocket.FastHTTPUpgrader{}
	srv := fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		_ = upgrader.Upgrade(ctx, func(ws *websocket.Conn) { done <- libraryReads(ws) })
	}}
	go func() { _ = srv.Serve(listener) }() // ends with the listener
	client, response, err := websocket.DefaultDialer.Dial("ws://"+listener.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	defer client.Close()
	go func() { _, _ = io.Copy(io.Discard, client.NetConn()) }() // ends with the client
	if _, err := client.NetConn().Write(sent); err == nil {
		_ = client.NetConn().(*net.TCPConn).CloseWrite()
	}
	return <-done
}

func libraryReads(ws *websocket.Conn) (got events) {
	ws.SetReadLimit(testLimit)
	ws.SetPingHandler(func(s string) error { got.add("ping", []byte(s)); return nil })
	ws.SetPongHandler(func(s string) error { got.add("pong", []byte(s)); return nil })
	for {
		op, payload, err := ws.ReadMessage()
		var closed *websocket.CloseError
		switch {
		case err == nil && op == websocket.TextMessage:
			got.add("text", payload)
			continue
		case err == nil:
			got.add("binary", payload)
			continue
		case errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure:
			return append(got, "end client")
		case errors.As(err, &closed), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
			return append(got, "end lost")
		case errors.Is(err, websocket.ErrReadLimit):
			return append(got, "end too_large")
		default:
			return append(got, "end protocol")
		}
	}
}

// What we read of a client is what the library reads, whatever is sent and
// however it is cut up.
func TestInbound_reads_as_the_library_does(t *testing.T) {
	ends := map[string]int{}
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(7, seed))
		sent := script(r)
		want, got := theirs(t, sent), ours(t, r, sent)
		if !slices.Equal(got, want) {
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] != want[i] {
					t.Fatalf("seed %d, event %d: got %.80q, want %.80q", seed, i, got[min(i, len(got)):], want[min(i, len(want)):])
				}
			}
		}
		ends[want[len(want)-1]]++
	}
	if len(ends) != 4 {
		t.Errorf("not every ending was tried: %v", ends)
	}
}

// A client that claims much and sends little is given no more than it sends.
func TestInbound_memory_follows_what_comes(t *testing.T) {
	in := inbound{limit: 1 << 20}
	header := clientFrame(finBit|opText, make([]byte, 1<<20), [maskBytes]byte{})[:20]
	in.early = header
	if _, _, err := in.next(); !errors.Is(err, errMore) {
		t.Fatal(err)
	}
	if n := cap(in.message); n > 64 {
		t.Errorf("%d bytes for %d", n, len(header))
	}
}

// Empty frames take nothing of a message's limit of bytes.
func TestInbound_frames_of_a_message_are_bounded(t *testing.T) {
	for frames, want := range map[int]error{maxFrames: nil, maxFrames + 1: errTooLarge} {
		var sent []byte
		for i := range frames {
			op := opContinuation
			if i == 0 {
				op = opText
			}
			if i == frames-1 {
				op |= finBit
			}
			sent = append(sent, clientFrame(op, nil, [maskBytes]byte{1, 2, 3, 4})...)
		}
		in := inbound{limit: testLimit}
		in.early = sent
		op, payload, err := in.next()
		if !errors.Is(err, want) || err == nil && (op != opText || len(payload) != 0) {
			t.Errorf("%d frames: %d, %d bytes, %v; want %v", frames, op, len(payload), err, want)
		}
	}
}

// FuzzInbound: nothing that is sent breaks the reader.
func FuzzInbound(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(script(rand.New(rand.NewPCG(7, seed))))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		in := inbound{limit: testLimit}
		in.early = bytes.Clone(sent)
		for {
			before := len(in.unread())
			_, payload, err := in.next()
			if len(payload) > testLimit {
				t.Fatalf("%d bytes", len(payload))
			}
			if err != nil {
				return
			}
			if len(in.unread()) >= before {
				t.Fatal("it does not get on")
			}
		}
	})
}
