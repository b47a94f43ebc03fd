package main

import (
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"testing"
)

// TestSocket_next reads what a server may send, in pieces of every size.
func TestSocket_next(t *testing.T) {
	large, huge := strings.Repeat("l", 4000), strings.Repeat("h", 70_000)
	var stream []byte
	for _, f := range []struct {
		head    byte
		payload string
	}{
		{0x80 | opText, "small"}, {0x80 | opText, ""}, {0x80 | opText, large}, {0x80 | opPing, "beat"},
		{opText, "in "}, {0x80 | opPing, "beat"}, {opContinuation, "three "}, {0x80 | opContinuation, "parts"},
		{0x80 | opText, huge}, {0x80 | opText, "last"}, {0x80 | opClose, "\x0f\xa1"},
	} {
		stream = append(stream, serverFrame(f.head, f.payload)...)
	}
	for _, piece := range []int{1, 7, 1000, len(stream)} {
		ours, theirs := net.Pipe()
		go func() { // ends with the stream, or when the pipe is closed
			for rest := stream; len(rest) > 0; {
				n := min(piece, len(rest))
				if _, err := theirs.Write(rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
		}()
		pongs := make(chan []byte, 1)
		go func() { // ends when the pipe is closed
			var got []byte
			buf := make([]byte, 100)
			for {
				n, err := theirs.Read(buf)
				got = append(got, buf[:n]...)
				if err != nil {
					pongs <- got
					return
				}
			}
		}()
		s := &socket{conn: ours, buf: make([]byte, firstBuffer)}
		for _, want := range []string{"small", "", large, "in three parts", huge, "last"} {
			if got, err := s.next(); err != nil || string(got) != want {
				t.Fatalf("pieces of %d: got %.20q (%d), %v, want %.20q", piece, got, len(got), err, want)
			}
		}
		var closed closedError
		if _, err := s.next(); !errors.As(err, &closed) || closed.code != 4001 {
			t.Errorf("the end is %v", err)
		}
		s.close()
		pong := "\x8a\x84\x00\x00\x00\x00beat"
		if got := <-pongs; string(got) != pong+pong {
			t.Errorf("pings were answered with %q", got)
		}
		_ = theirs.Close()
	}
}

func serverFrame(head byte, payload string) []byte {
	f := []byte{head}
	switch n := len(payload); {
	case n < 126:
		f = append(f, byte(n))
	case n < 1<<16:
		f = binary.BigEndian.AppendUint16(append(f, 126), uint16(n))
	default:
		f = binary.BigEndian.AppendUint64(append(f, 127), uint64(n))
	}
	return append(f, payload...)
}
