package gateway

import (
	"encoding/binary"
	"math"
	"sync"
)

// The first bytes of whole, unfragmented frames (RFC 6455, section 5.2).
const (
	wireText  = finBit | opText
	wireClose = finBit | opClose
	wirePing  = finBit | opPing
	wirePong  = finBit | opPong
)

// pingFrame asks a client whether it is still there.
var pingFrame = &outgoing{wire: wireFrame(wirePing, nil)}

// maxWireHeader is the longest header of a frame that is not masked, as a
// server's are.
const maxWireHeader = 10

// wireFrame is a frame as it goes over the wire. A push's is made once for all
// who get it, and written as it is: the library's own prepared message costs
// 6 KB and 9 µs each.
func wireFrame(first byte, payload []byte) []byte {
	b := make([]byte, 1, maxWireHeader+len(payload))
	b[0] = first
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

// gatherBytes is how much of what waits goes out in one write: a system call
// costs as much as copying about this.
const gatherBytes = 16 << 10

// gathers holds what writers gather into, only while they write.
var gathers = sync.Pool{New: func() any { b := make([]byte, 0, gatherBytes); return &b }}

// gather returns the bytes of the first frames, as many as go into one write,
// how many these are, and the buffer of gathers that holds them; nil: none
// does. frames must not be empty.
func gather(frames []*outgoing) (out []byte, n int, buffer *[]byte) {
	for size := 0; n < len(frames); n++ {
		if size += len(frames[n].wire); n > 0 && size > gatherBytes {
			break
		}
	}
	if n == 1 {
		return frames[0].wire, 1, nil
	}
	buffer, _ = gathers.Get().(*[]byte)
	out = (*buffer)[:0]
	for _, o := range frames[:n] {
		out = append(out, o.wire...)
	}
	return out, n, buffer
}
