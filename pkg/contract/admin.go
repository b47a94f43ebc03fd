package contract

import (
	"encoding/json"
	"fmt"
	"time"
)

// Act is who of those who run Parley asks for something, and why. Every
// request that parleyctl makes carries one, and lands in IM_EVENTS with it, as
// an [AuditEvent].
//
// All of them share one NATS user: what stands in By is what its holder says.
type Act struct {
	By     string `json:"by"`               // 1 to 64 of A-Z, a-z, 0-9, _, ., @ and -
	Reason string `json:"reason,omitempty"` // at most MaxReason characters; nothing personal
	// AskedAt is when; MaxActAge later it is refused. A replica that stood still
	// must not carry out, with what was decided since, what has long been asked
	// for again elsewhere. The zero time: nobody knows.
	AskedAt Time `json:"asked_at"`
}

// MaxActAge is how late an act is still carried out. Clocks that differ by more
// make acts fail.
const MaxActAge = time.Minute

// MaxReason is how many characters a reason may have.
const MaxReason = 200

// RemovedByAdmin stands in the place of a user's id where an admin removed
// something. No user has it.
const RemovedByAdmin = "admin"

// AuditEvent is the data of an event about what an admin did, or looked at.
// Besides ids it has what Act says.
type AuditEvent struct {
	By        string `json:"by"`
	Reason    string `json:"reason,omitempty"`
	Action    string `json:"action"` // the method's name, such as disable_user
	UserID    string `json:"user_id,omitempty"`
	SessionID string `json:"session_id,omitempty"`
	RoomID    string `json:"room_id,omitempty"`
	Seq       int64  `json:"seq,omitempty"`
	KeyID     string `json:"key_id,omitempty"`
}

// AdminUserRequest asks for something about one user.
type AdminUserRequest struct {
	Act    Act    `json:"act"`
	UserID string `json:"user_id"`
}

// AdminRoomRequest asks for something about one room, direct ones too.
type AdminRoomRequest struct {
	Act    Act    `json:"act"`
	RoomID string `json:"room_id"`
}

// ExportRequest asks for a part of what a service keeps about a user.
type ExportRequest struct {
	Act    Act    `json:"act"`
	UserID string `json:"user_id"`
	Cursor string `json:"cursor,omitempty"`
}

// ExportPage is a part of what a service keeps about a user.
type ExportPage struct {
	Items      []ExportItem `json:"items"`
	NextCursor string       `json:"next_cursor"` // empty on the last page
}

// ExportItem is one record about a user, such as {"kind":"message","data":…}.
type ExportItem struct {
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
}

// Add puts a record onto the page.
func (p *ExportPage) Add(kind string, record any) error {
	data, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("export %s: %w", kind, err)
	}
	p.Items = append(p.Items, ExportItem{Kind: kind, Data: data})
	return nil
}

// EraseReply says how far an erasure has come. One call does a bounded part of
// it; whoever asks calls again until it is done, and may begin again at any
// time.
type EraseReply struct {
	Erased int  `json:"erased"` // records, by this call
	Done   bool `json:"done"`
}

// Diagnosis is how one replica finds itself and what it depends on.
type Diagnosis struct {
	Service  Service `json:"service"`
	Replica  string  `json:"replica"`
	Version  string  `json:"version"`
	Revision string  `json:"revision,omitempty"` // of the source
	Now      Time    `json:"now"`                // by its clock
	Checks   []Check `json:"checks"`
}

// Check is one thing that was looked at, such as "store", "store.indexes" or
// "redis".
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"` // what is wrong, or worth knowing; no secrets
}
