package gateway

import (
	"strings"
	"testing"

	"github.com/fasthttp/websocket"

	"github.com/parley-im/parley/pkg/contract"
)

// BenchmarkDecodeFrame reads a send of 128 characters, with its data.
func BenchmarkDecodeFrame(b *testing.B) {
	data := []byte(`{"id":"17","op":"message.send","data":{"room_id":"01JZ8Y7Q3N5T9V1XABCDEFGHJM","client_id":"` +
		strings.Repeat("c", 32) + `","type":"text","content":{"text":"` + strings.Repeat("x", 128) + `"}}}`)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		frame, err := decodeFrame(websocket.TextMessage, data)
		if err != nil {
			b.Fatal(err)
		}
		var d contract.SendData
		if err := decodeData(frame.Data, &d); err != nil || len(d.Content.Text) != 128 {
			b.Fatal(d, err)
		}
	}
}
