package gateway

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// TestSocket_Autobahn has the cases of the Autobahn test suite that apply to a
// server without compression (https://github.com/crossbario/autobahn-testsuite).
// The suite wants an echo; here an echo is the answer to the op "ping".
//
// Three sections differ on purpose. 1.2: binary frames are answered with an error.
// 7.1.1: a client that closes does not wait for answers, so none is sent after its
// close frame. 6: text that is not UTF-8 is answered with an error
// that has the frame's id, and the connection lives. Closing it (1007) would make a
// client repeat the frame for ever.
func TestSocket_Autobahn(t *testing.T) {
	w := newWorld(t, nil)
	bearer := w.token(t, "ann", "s1")
	for _, c := range autobahnCases() {
		t.Run(c.name, func(t *testing.T) {
			conn := w.dialRaw(t, bearer)
			readUntil(t, conn, `"op":"ready"`)
			for _, part := range c.sent {
				_, _ = conn.Write(part) // it may be closed before its end
			}
			readUntil(t, conn, c.want)
			_ = conn.Close()
		})
	}
	w.healthy(t)
}

type autobahnCase struct {
	name string
	sent [][]byte
	want string // bytes that come back
}

func autobahnCases() (all []autobahnCase) {
	const ok, bad = `{"id":"7","op":"ok"`, `{"id":"7","op":"error"`
	mask := [maskBytes]byte{0x37, 0xfa, 0x21, 0x3d}
	frame := func(first byte, payload string) []byte { return clientFrame(first, []byte(payload), mask) }
	add := func(name, want string, sent ...[]byte) { all = append(all, autobahnCase{name, sent, want}) }
	// echo is an op of that many bytes.
	echo := func(size int) string {
		const bare = `{"id":"7","op":"ping","pad":""}`
		return strings.Replace(bare, `""`, `"`+strings.Repeat("*", max(0, size-len(bare)))+`"`, 1)
	}
	octets := func(b []byte) [][]byte { return bytes.SplitAfter(b, nil) }
	closed := func(code uint16) string { return string(binary.BigEndian.AppendUint16(nil, code)) }
	closeFrame := func(code int, reason string) []byte {
		return frame(finBit|opClose, closed(uint16(code))+reason)
	}
	pong := func(payload string) string { return "\x8a" + string(rune(len(payload))) + payload }

	for i, size := range []int{125, 126, 127, 128, 65535, 65536} {
		add(fmt.Sprintf("1.1.%d", i+2), ok, frame(finBit|opText, echo(size)))
		add(fmt.Sprintf("1.2.%d refused", i+2), `"op":"error"`, frame(finBit|opBinary, echo(size)))
	}
	add("1.1.8 octet by octet", ok, octets(frame(finBit|opText, echo(126)))...)

	add("2.1", pong(""), frame(finBit|opPing, ""))
	add("2.2", pong("Hello, world!"), frame(finBit|opPing, "Hello, world!"))
	add("2.3", pong("\x00\xff\xfe\xfd"), frame(finBit|opPing, "\x00\xff\xfe\xfd"))
	add("2.4", pong(strings.Repeat("\xfe", 125)), frame(finBit|opPing, strings.Repeat("\xfe", 125)))
	add("2.5", closed(1002), frame(finBit|opPing, strings.Repeat("\xfe", 126)))
	add("2.6", pong("chopped"), octets(frame(finBit|opPing, "chopped"))...)
	add("2.7-9", pong("payload"), frame(finBit|opPong, ""), frame(finBit|opPong, "unsolicited"), frame(finBit|opPing, "payload"))
	var pings [][]byte
	for i := range 10 {
		pings = append(pings, frame(finBit|opPing, fmt.Sprint("payload-", i)))
	}
	add("2.10", pong("payload-9"), pings...)

	for i, bits := range []byte{1, 2, 3, 4, 5, 6, 7} {
		add(fmt.Sprintf("3.%d", i+1), closed(1002), frame(finBit|bits<<4|opText, echo(50)))
	}
	for i, op := range []byte{3, 4, 5, 6, 7} {
		add(fmt.Sprintf("4.1.%d", i+1), closed(1002), frame(finBit|op, "reserved"))
	}
	for i, op := range []byte{11, 12, 13, 14, 15} {
		add(fmt.Sprintf("4.2.%d", i+1), closed(1002), frame(finBit|op, "reserved"))
	}

	begin, end := frame(opText, echo(60)[:20]), frame(finBit|opContinuation, echo(60)[20:])
	add("5.1", closed(1002), frame(opPing, "fragment"), frame(finBit|opContinuation, "fragment"))
	add("5.2", closed(1002), frame(opPong, "fragment"), frame(finBit|opContinuation, "fragment"))
	add("5.3", ok, begin, end)
	add("5.4", ok, append(bytes.Clone(begin), end...))
	add("5.5", ok, octets(append(bytes.Clone(begin), end...))...)
	add("5.6 pong", pong("between"), begin, frame(finBit|opPing, "between"), end)
	add("5.6 echo", ok, begin, frame(finBit|opPing, "between"), end)
	add("5.9", closed(1002), frame(finBit|opContinuation, "without a beginning"))
	add("5.12", closed(1002), frame(opContinuation, "without a beginning"), frame(finBit|opText, echo(50)))
	add("5.15", closed(1002), begin, end, frame(opContinuation, "again"))
	add("5.18", closed(1002), begin, frame(finBit|opText, echo(50)))
	add("5.19 echo", ok, begin, frame(opContinuation, ""), frame(finBit|opPing, "1"), frame(opContinuation, ""), frame(finBit|opPing, "2"), end)

	text := func(s string) []byte { return frame(finBit|opText, `{"id":"7","op":"ping","pad":"`+s+`"}`) }
	add("6.2", ok, text("Hello-µ@ßöäüàá-UTF-8!!"))
	add("6.2 within a character", ok, octets(text("κόσμε"))...)
	for i, s := range []string{"κόσμε", "𠀀", "\ufffd", "\U0010ffff"} {
		add(fmt.Sprintf("6.5-6.11 valid %d", i+1), ok, text(s))
	}
	for i, s := range []string{"\x80", "\xbf", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"} {
		add(fmt.Sprintf("6.3-6.21 not UTF-8 %d", i+1), bad, text(s))
	}

	add("7.1.1 close", "\x88\x02"+closed(1000), frame(finBit|opText, echo(50)), closeFrame(1000, ""))
	add("7.1.5", "\x88\x02"+closed(1000), begin, closeFrame(1000, ""), end)
	add("7.3.1", "\x88\x00", frame(finBit|opClose, ""))
	add("7.3.2", closed(1002), frame(finBit|opClose, "a"))
	add("7.3.3", "\x88\x02"+closed(1000), closeFrame(1000, ""))
	add("7.3.4", "\x88\x02"+closed(1000), closeFrame(1000, "Hello World!"))
	add("7.3.5", "\x88\x02"+closed(1000), closeFrame(1000, strings.Repeat("*", 123)))
	add("7.3.6", closed(1002), closeFrame(1000, strings.Repeat("*", 124)))
	add("7.5.1", closed(1002), closeFrame(1000, "\xce\xba\xe1\xbd\xb9\xed\xa0\x80"))
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		add(fmt.Sprint("7.7 ", code), "\x88\x02"+closed(uint16(code)), closeFrame(code, ""))
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535} {
		add(fmt.Sprint("7.9 ", code), closed(1002), closeFrame(code, ""))
	}

	add("9.1 over the limit", closed(1009), frame(finBit|opText, echo(65537)))
	add("9.3 over the limit in parts", closed(1009), frame(opText, echo(65536)), frame(finBit|opContinuation, "*"))
	var parts [][]byte
	for rest, first := echo(65536), opText; rest != ""; first = opContinuation {
		n := min(1300, len(rest))
		if n == len(rest) {
			first |= finBit
		}
		parts, rest = append(parts, frame(first, rest[:n])), rest[n:]
	}
	add("10.1.1", ok, parts...)
	return all
}
