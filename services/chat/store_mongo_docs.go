package chat

import (
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/mongodb"
)

// messageDoc is a message. Its revision is 1 until it is removed.
type messageDoc struct {
	ID               string `bson:"_id"`
	Rev              int64  `bson:"rev"`
	mongodb.Outboxed `bson:",inline"`
	RoomID           string    `bson:"room_id"`
	Seq              int64     `bson:"seq"`
	SenderID         string    `bson:"sender_id"`
	ClientID         string    `bson:"client_id"`
	Type             string    `bson:"type"`
	Text             string    `bson:"text"`
	Hash             []byte    `bson:"hash"`
	SentAt           time.Time `bson:"sent_at"`
	RemovedAt        time.Time `bson:"removed_at,omitempty"`
	RemovedBy        string    `bson:"removed_by,omitempty"`
}

// readDoc is a read position, under "<user>.<room>": ids have no dots.
type readDoc struct {
	ID  string `bson:"_id"`
	Seq int64  `bson:"seq"`
}

func readID(userID, roomID string) string { return userID + "." + roomID }

// lastDoc is what is asked of each room's last message.
type lastDoc struct {
	RoomID   string    `bson:"room_id"`
	Seq      int64     `bson:"seq"`
	SenderID string    `bson:"sender_id"`
	SentAt   time.Time `bson:"sent_at"`
}

func (d messageDoc) record() Record {
	r := Record{Message: contract.Message{
		ID: d.ID, RoomID: d.RoomID, Seq: d.Seq, ClientID: d.ClientID, SenderID: d.SenderID,
		Type: contract.MessageType(d.Type), Content: contract.Content{Text: d.Text},
		SentAt: contract.NewTime(d.SentAt), RemovedBy: d.RemovedBy,
	}}
	copy(r.Hash[:], d.Hash)
	if !d.RemovedAt.IsZero() {
		at := contract.NewTime(d.RemovedAt)
		r.RemovedAt = &at
	}
	return r
}
