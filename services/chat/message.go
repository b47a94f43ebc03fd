package chat

import (
	"crypto/sha256"
	"unicode/utf8"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
)

// Hash tells the content of one send from that of another under the same
// client_id. The zero Hash takes its place when a message is removed, and matches
// any content: a hash of a short text would tell the text to anyone who tries
// some.
type Hash [16]byte

// matches reports whether a send of this content may be the stored message.
func (h Hash) matches(stored Hash) bool { return stored == Hash{} || h == stored }

// hashOf is the first 128 bits of SHA-256 over type and text.
func hashOf(kind contract.MessageType, content contract.Content) Hash {
	sum := sha256.Sum256([]byte(string(kind) + "\x00" + content.Text))
	return Hash(sum[:16])
}

// newRecord is the message that a request asks to append, with everything but
// its place in the log.
func newRecord(req contract.SendRequest) Record {
	return Record{
		Message: contract.Message{
			ID:       id.New(),
			RoomID:   req.RoomID,
			ClientID: req.ClientID,
			SenderID: req.Caller.UserID,
			Type:     req.Type,
			Content:  req.Content,
		},
		Hash: hashOf(req.Type, req.Content),
	}
}

// checkSend refuses what cannot be a message.
func checkSend(req contract.SendRequest) error {
	var check fault.Check
	checkCaller(&check, req.Caller)
	checkRoom(&check, req.RoomID)
	check.That(contract.ValidID(req.ClientID), "client_id", "must be 1 to 64 of A-Z, a-z, 0-9, _ and -")
	check.That(req.Type == contract.MessageText, "type", `must be "text"`)
	text := req.Content.Text
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		check.That(false, "content.text", "must not be empty")
	case n > contract.MaxTextLength:
		check.That(false, "content.text", "must have at most 4000 characters")
	default:
		check.That(utf8.ValidString(text), "content.text", "must be valid UTF-8")
	}
	return check.Err()
}

// maySend lets every member send, except into a room that is closed.
func maySend(m contract.Membership) error {
	if m.Closed {
		return fault.New(fault.FailedPrecondition, "the room is closed: you are no longer friends")
	}
	return nil
}

func checkCaller(check *fault.Check, caller contract.Caller) {
	check.That(contract.ValidID(caller.UserID), "caller.user_id", "must be an id")
}

func checkRoom(check *fault.Check, roomID string) {
	check.That(contract.ValidID(roomID), "room_id", "must be an id")
}

// envelopeSize is the most that a message takes as JSON beside its text and
// ids: keys, a seq, a type and two times.
const envelopeSize = 240

// Size is at least the number of bytes that the message takes as JSON, and
// little more.
func (r Record) Size() int {
	ids := len(r.ID) + len(r.RoomID) + len(r.ClientID) + len(r.SenderID) + len(r.RemovedBy)
	return envelopeSize + ids + jsonSize(r.Content.Text)
}

// jsonSize is how long encoding/json makes a valid text, quotes apart: it
// writes HTML's special characters and most control characters in six bytes.
func jsonSize(text string) int {
	n := 0
	for _, c := range text {
		switch {
		case c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f':
			n += 2
		case c < 0x20 || c == '<' || c == '>' || c == '&' || c == '\u2028' || c == '\u2029' || c == utf8.RuneError:
			n += 6
		default:
			n += utf8.RuneLen(c)
		}
	}
	return n
}
