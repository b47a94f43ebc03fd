package contract

import (
	"strings"
	"testing"
	"time"
)

// benchMessage is a message of 128 characters as it stands on the wire.
func benchMessage() Message {
	return Message{
		ID: "01JZ8Y7Q3N5T9V1XABCDEFGHJK", RoomID: "01JZ8Y7Q3N5T9V1XABCDEFGHJM", Seq: 123_456,
		ClientID: strings.Repeat("c", 32), SenderID: "01JZ8Y7Q3N5T9V1XABCDEFGHJN",
		Type: MessageText, Content: Content{Text: strings.Repeat("x", 128)}, SentAt: NewTime(time.UnixMilli(1_750_000_000_000)),
	}
}

// BenchmarkPush_Encode makes the frame that all members get.
func BenchmarkPush_Encode(b *testing.B) {
	m := benchMessage()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := MessagePushed.Encode(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPush_Subject(b *testing.B) {
	m := benchMessage()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := MessagePushed.Subject(m.RoomID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseRoomSubject(b *testing.B) {
	subject, err := MessagePushed.Subject(benchMessage().RoomID)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := ParseRoomSubject(subject); !ok {
			b.Fatal(subject)
		}
	}
}
