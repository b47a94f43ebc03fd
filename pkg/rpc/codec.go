package rpc

import (
	"bytes"
	"encoding/json"
)

// maxPooled is the most capacity, in bytes, that a buffer may have and still
// be kept for the next message: a few large pages of history should not stay in memory for good.
const maxPooled = 64 << 10

// encode writes v as JSON into out, which it expects empty. What only HTML
// needs escaped stays as it is.
func encode(out *bytes.Buffer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1) // the encoder ends with a newline
	return nil
}

// recycle empties a buffer for its next use.
func recycle(buf *bytes.Buffer) {
	if buf.Cap() > maxPooled {
		*buf = bytes.Buffer{}
		return
	}
	buf.Reset()
}
