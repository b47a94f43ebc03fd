package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// The opcodes of frames (RFC 6455, section 5.2).
const (
	opContinuation byte = 0x0
	opText         byte = 0x1
	opBinary       byte = 0x2
	opClose        byte = 0x8
	opPing         byte = 0x9
	opPong         byte = 0xa
)

const (
	finBit         = 0x80
	reservedBits   = 0x70
	opcodeBits     = 0x0f
	controlBit     = 0x08
	maskBit        = 0x80
	lengthBits     = 0x7f
	maskBytes      = 4
	maxControlSize = 125
)

// maxFrames is the most frames of one message. Empty ones take no bytes of its
// limit, and no message ends with them, so nothing else would count them.
const maxFrames = 4096

var (
	// errMore: the rest of a frame has not come yet.
	errMore = errors.New("more has to be read")
	// errTooLarge ends a connection: a message has more bytes or frames than it may.
	errTooLarge = errors.New("the message is too large")
	// errProtocol ends a connection: what came is not as RFC 6455 has it.
	errProtocol = errors.New("not the WebSocket protocol")
)

// inbound takes apart what a client sends. It does by itself what the library
// does with a buffer and a deep stack for each connection: here a connection
// that is silent holds neither.
type inbound struct {
	source
	limit int64 // bytes of a message

	// Of the message whose frames are coming.
	within  bool // a message has begun, and its last frame not ended
	kind    byte // its opcode
	message []byte
	size    int64 // by the headers so far
	frames  int   // so far

	// Of the frame whose payload is coming.
	inFrame bool
	fin     bool
	left    int64 // bytes to come
	mask    [maskBytes]byte
}

// header is the first bytes of a frame.
type header struct {
	op     byte
	fin    bool
	length int64
	mask   [maskBytes]byte
	size   int // of itself
}

// next returns the next message or control frame that has come whole, or
// errMore. The payload is good until the next call of next or fill.
func (in *inbound) next() (op byte, payload []byte, err error) {
	for {
		if !in.inFrame {
			h, err := parseHeader(in.unread())
			if err != nil {
				return 0, nil, err
			}
			if h.op&controlBit != 0 {
				return in.control(h)
			}
			if err := in.begin(h); err != nil {
				return 0, nil, err
			}
		}
		if payload, whole := in.gather(); whole {
			return in.kind, payload, nil
		}
		if in.inFrame {
			return 0, nil, errMore
		}
	}
}

// parseHeader checks and reads the header that the bytes begin with.
func parseHeader(b []byte) (header, error) {
	if len(b) < 2 {
		return header{}, errMore
	}
	h := header{op: b[0] & opcodeBits, fin: b[0]&finBit != 0, length: int64(b[1] & lengthBits), size: 2 + maskBytes}
	switch {
	case b[0]&reservedBits != 0:
		return header{}, fmt.Errorf("%w: a reserved bit is set", errProtocol)
	case h.op > opBinary && h.op < opClose || h.op > opPong:
		return header{}, fmt.Errorf("%w: opcode %d", errProtocol, h.op)
	case h.op&controlBit != 0 && (!h.fin || h.length > maxControlSize):
		return header{}, fmt.Errorf("%w: a control frame in parts or too long", errProtocol)
	case b[1]&maskBit == 0:
		return header{}, fmt.Errorf("%w: not masked", errProtocol)
	}
	switch h.length {
	case 126:
		h.size += 2
	case 127:
		h.size += 8
	}
	if len(b) < h.size {
		return header{}, errMore
	}
	switch h.length {
	case 126:
		h.length = int64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if h.length = int64(binary.BigEndian.Uint64(b[2:])); h.length < 0 { // what overflows is refused
			return header{}, errTooLarge
		}
	}
	copy(h.mask[:], b[h.size-maskBytes:])
	return h, nil
}

// control returns a control frame once it is there whole.
func (in *inbound) control(h header) (op byte, payload []byte, err error) {
	end := h.size + int(h.length)
	b := in.unread()
	if len(b) < end {
		return 0, nil, errMore
	}
	payload = b[h.size:end]
	unmask(h.mask, payload)
	in.consume(end)
	return h.op, payload, nil
}

// begin takes the header of a frame of a message.
func (in *inbound) begin(h header) error {
	if in.within == (h.op != opContinuation) {
		return fmt.Errorf("%w: opcode %d out of turn", errProtocol, h.op)
	}
	if !in.within {
		in.within, in.kind, in.size, in.frames, in.message = true, h.op, 0, 0, nil
	}
	in.frames++
	if h.length > in.limit-in.size || in.frames > maxFrames {
		return errTooLarge
	}
	in.size += h.length
	in.inFrame, in.fin, in.left, in.mask = true, h.fin, h.length, h.mask
	in.consume(h.size)
	return nil
}

// gather takes what has come of the frame's payload, and returns the message
// when that is all of it. A message that came in one piece is not copied.
func (in *inbound) gather() (message []byte, whole bool) {
	b := in.unread()
	if int64(len(b)) > in.left {
		b = b[:in.left]
	}
	unmask(in.mask, b)
	in.turnMask(len(b))
	in.consume(len(b))
	in.left -= int64(len(b))
	in.inFrame = in.left > 0
	last := !in.inFrame && in.fin
	if last && len(in.message) == 0 {
		in.within = false
		return b, true
	}
	in.message = append(in.message, b...)
	if !last {
		return nil, false
	}
	message, in.message, in.within = in.message, nil, false
	return message, true
}

// turnMask has the mask begin where n more bytes end.
func (in *inbound) turnMask(n int) {
	m := in.mask
	for i := range in.mask {
		in.mask[i] = m[(i+n)%maskBytes]
	}
}

// unmask takes the mask off a payload, eight bytes at a time.
func unmask(mask [maskBytes]byte, b []byte) {
	half := uint64(binary.LittleEndian.Uint32(mask[:]))
	word := half<<32 | half
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^word)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= mask[i%maskBytes]
	}
}

// checkClose returns what a client's close frame is answered with: its code,
// or empty when it has none. Half a code is no code.
func checkClose(payload []byte) (echo []byte, err error) {
	switch len(payload) {
	case 0:
		return []byte{}, nil
	case 1:
		return nil, fmt.Errorf("%w: a close frame of one byte", errProtocol)
	}
	code := binary.BigEndian.Uint16(payload)
	if !mayClose(code) {
		return nil, fmt.Errorf("%w: close code %d", errProtocol, code)
	}
	if !utf8.Valid(payload[2:]) {
		return nil, fmt.Errorf("%w: a close frame's text", errProtocol)
	}
	return binary.BigEndian.AppendUint16(nil, code), nil
}

// mayClose reports whether a client may close with the code (RFC 6455, section
// 7.4, and IANA's list).
func mayClose(code uint16) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1013, code >= 3000 && code <= 4999:
		return true
	default:
		return false
	}
}
