package gateway

import (
	"errors"
	"testing"
)

// A frame that comes slowly but steadily is no silence; a byte now and then is.
func TestReader_hears_a_slow_upload(t *testing.T) {
	c := &conn{}
	c.inbound.limit = 1 << 16
	frame := clientFrame(finBit|opText, make([]byte, 8192), [maskBytes]byte{1, 2, 3, 4})
	heard := func(bytes int) bool {
		t.Helper()
		c.heard.Store(0)
		c.inbound.early, frame = frame[:bytes], frame[bytes:]
		if _, _, err := c.inbound.next(); !errors.Is(err, errMore) {
			t.Fatalf("got %v", err)
		}
		c.hearProgress()
		return c.heard.Load() != 0
	}
	if heard(500) {
		t.Error("500 bytes count")
	}
	if !heard(600) {
		t.Error("1,100 bytes do not count")
	}
	for range 1000 {
		if heard(1) {
			t.Error("single bytes count")
			break
		}
	}
	if !heard(steadyBytes) || !heard(steadyBytes) {
		t.Error("steady bytes do not count")
	}
	// The next message counts anew.
	c.inbound = inbound{limit: 1 << 16}
	frame = clientFrame(finBit|opText, make([]byte, 4096), [maskBytes]byte{})
	if heard(500) || !heard(600) {
		t.Error("it is not counted per message")
	}
}
