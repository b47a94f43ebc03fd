package contract

// Message is one entry of a room's log.
type Message struct {
	ID        string      `json:"id"`
	RoomID    string      `json:"room_id"`
	Seq       int64       `json:"seq"` // 1, 2, 3… in its room, without holes
	ClientID  string      `json:"client_id"`
	SenderID  string      `json:"sender_id"`
	Type      MessageType `json:"type"`
	Content   Content     `json:"content"`
	SentAt    Time        `json:"sent_at"`
	RemovedAt *Time       `json:"removed_at,omitempty"`
	RemovedBy string      `json:"removed_by,omitempty"`
}

// MessageType says what a message's content holds.
type MessageType string

// The types of messages.
const (
	MessageText    MessageType = "text"
	MessageRemoved MessageType = "removed" // a tombstone: the content is empty
)

// Content is what a message says; which fields are set follows from its type.
type Content struct {
	Text string `json:"text,omitempty"`
}

// Limits of a message.
const (
	MaxTextLength     = 4_000     // characters (Unicode code points)
	MaxClientIDLength = 64        // of [A-Za-z0-9_-]
	MaxPage           = 200       // entries of a list or of history
	DefaultPage       = 50        // entries when a request names no limit
	MaxPageBytes      = 512 << 10 // a page of history ends here too
	MaxRoomPage       = 5_000     // rooms of one user on a page of ListHeads or ListMemberships: nearly 1 MB at their longest
)

// SendRequest appends a message to a room.
type SendRequest struct {
	Caller   Caller      `json:"caller"`
	RoomID   string      `json:"room_id"`
	ClientID string      `json:"client_id"`
	Type     MessageType `json:"type"`
	Content  Content     `json:"content"`
}

// SendReply says where the message stands. Duplicate means that the same
// client_id had been sent before, and this is that message.
type SendReply struct {
	RoomID    string `json:"room_id"`
	Seq       int64  `json:"seq"`
	ID        string `json:"id"`
	SentAt    Time   `json:"sent_at"`
	Duplicate bool   `json:"duplicate"`
}

// HistoryRequest asks for a page of a room's log: after AfterSeq oldest
// first, else newest first; both bounds are exclusive. PageIndex and PageSize
// are the other way to ask: from the newest, page 1 first.
type HistoryRequest struct {
	Caller    Caller `json:"caller"`
	RoomID    string `json:"room_id"`
	AfterSeq  *int64 `json:"after_seq,omitempty"`
	BeforeSeq *int64 `json:"before_seq,omitempty"`
	Limit     int    `json:"limit,omitempty"` // 0: DefaultPage
	PageIndex int    `json:"page_index,omitempty"`
	PageSize  int    `json:"page_size,omitempty"`
}

// HistoryReply is a page; it ends at its limit or at MaxPageBytes, or sooner
// while the store is away.
//
// LastSeq is the room's head wherever the page begins or ends there: without
// AfterSeq and BeforeSeq, and with AfterSeq alone when HasMore is false.
// Between other messages it is a seq that the room has reached, and may be
// lower than one that was heard of before.
type HistoryReply struct {
	Items   []Message `json:"items"`
	LastSeq int64     `json:"last_seq"`
	HasMore bool      `json:"has_more"` // in the direction and range asked for
}

// MessageRequest names one message.
type MessageRequest struct {
	Caller Caller `json:"caller"`
	RoomID string `json:"room_id"`
	Seq    int64  `json:"seq"`
}

// RoomState is what chat knows of a room, as one member sees it.
type RoomState struct {
	RoomID      string   `json:"room_id"`
	FirstSeq    int64    `json:"first_seq"`
	LastSeq     int64    `json:"last_seq"`
	ReadSeq     int64    `json:"read_seq"`
	Unread      int64    `json:"unread"`
	LastMessage *Message `json:"last_message,omitempty"` // nil when the member may read none
	ActiveAt    Time     `json:"active_at"`              // of the last message that the member may read, else of joining
}

// ListRoomsRequest lists the caller's rooms, latest activity first.
type ListRoomsRequest struct {
	Caller Caller `json:"caller"`
	Limit  int    `json:"limit"`
	Cursor string `json:"cursor,omitempty"`
}

// RoomStatePage is a page of the caller's rooms.
type RoomStatePage struct {
	Items      []RoomState `json:"items"`
	NextCursor string      `json:"next_cursor"` // empty on the last page
}

// GetRoomStatesRequest asks about some of the caller's rooms, at most 200.
type GetRoomStatesRequest struct {
	Caller  Caller   `json:"caller"`
	RoomIDs []string `json:"room_ids"`
}

// GetRoomStatesReply holds those that are the caller's, in the order asked.
type GetRoomStatesReply struct {
	Items []RoomState `json:"items"`
}

// ListHeadsRequest asks where the caller's rooms stand, a page of MaxRoomPage
// rooms at a time.
type ListHeadsRequest struct {
	Caller Caller `json:"caller"`
	Cursor string `json:"cursor,omitempty"` // the NextCursor of the page before
}

// RoomHead is one room in the ready frame and in ListHeadsReply.
type RoomHead struct {
	ID       string `json:"id"`
	FirstSeq int64  `json:"first_seq"`
	LastSeq  int64  `json:"last_seq"`
	ReadSeq  int64  `json:"read_seq"`
}

// RoomHeadRev is a RoomHead with the room's revision, for a gateway's hub.
type RoomHeadRev struct {
	RoomHead
	Rev int64 `json:"rev"`
}

// ListHeadsReply is a page of the caller's rooms, at most MaxRoomPage. A page
// holds the rooms whose ids follow those of the page before, in no order: a room
// of which the user is a member all the while is on exactly one page.
type ListHeadsReply struct {
	Rooms      []RoomHeadRev `json:"rooms"`
	NextCursor string        `json:"next_cursor,omitempty"` // empty on the last page
}

// HeadRequest asks for a room's exact head.
type HeadRequest struct {
	RoomID string `json:"room_id"`
}

// HeadReply is the seq of the last majority-committed message, 0 for none.
type HeadReply struct {
	LastSeq int64 `json:"last_seq"`
}

// What chat answers.
var (
	SendMessage   = Method[SendRequest, SendReply]{Service: Chat, Name: "send", Pinned: true, Repeatable: true, Grouped: MaxGroup, Callers: []Service{Gateway}, Doc: "Append a message to a room."}
	GetMessages   = Method[HistoryRequest, HistoryReply]{Service: Chat, Name: "history", Pinned: true, Repeatable: true, Callers: []Service{Gateway}, Doc: "Page through a room's log."}
	RemoveMessage = Method[MessageRequest, Empty]{Service: Chat, Name: "remove", Repeatable: true, Callers: []Service{Gateway}, Doc: "Replace a message by a tombstone."}
	SetRead       = Method[MessageRequest, Empty]{Service: Chat, Name: "set_read", Pinned: true, Repeatable: true, Callers: []Service{Gateway}, Doc: "Move the caller's read position forward."}
	ListRooms     = Method[ListRoomsRequest, RoomStatePage]{Service: Chat, Name: "list_rooms", Repeatable: true, Callers: []Service{Gateway}, Doc: "The caller's rooms, latest activity first."}
	GetRoomStates = Method[GetRoomStatesRequest, GetRoomStatesReply]{Service: Chat, Name: "get_room_states", Repeatable: true, Callers: []Service{Gateway}, Doc: "Heads, unread and last messages of some of the caller's rooms."}
	ListHeads     = Method[ListHeadsRequest, ListHeadsReply]{Service: Chat, Name: "list_heads", Repeatable: true, Grouped: maxListers, Callers: []Service{Gateway}, Doc: "Where the caller's rooms stand, up to 5,000 a page."}
	GetHead       = Method[HeadRequest, HeadReply]{Service: Chat, Name: "head", Repeatable: true, Leaf: true, Callers: []Service{Social}, Doc: "A room's exact head."}
)

// MessageRemovedData tells members of a tombstone.
type MessageRemovedData struct {
	RoomID    string `json:"room_id"`
	Seq       int64  `json:"seq"`
	RemovedBy string `json:"removed_by"`
	RemovedAt Time   `json:"removed_at"`
}

// RoomHeadData announces a room's head, so that a client notices a lost last
// message.
type RoomHeadData struct {
	RoomID  string `json:"room_id"`
	LastSeq int64  `json:"last_seq"`
}

// RoomReadData tells members how far one of them has read.
type RoomReadData struct {
	RoomID string `json:"room_id"`
	UserID string `json:"user_id"`
	Seq    int64  `json:"seq"`
}

// MaxReads is the most positions in one RoomReadsData.
const MaxReads = 100

// RoomReadsData tells members how far several of them have read, at most
// MaxReads, each once.
type RoomReadsData struct {
	RoomID string       `json:"room_id"`
	Reads  []MemberRead `json:"reads"`
}

// MemberRead is how far one member has read.
type MemberRead struct {
	UserID string `json:"user_id"`
	Seq    int64  `json:"seq"`
}

// What chat pushes.
var (
	MessagePushed        = Push[Message]{Op: "message", Scope: ScopeRoom, Publishers: []Service{Chat}, Doc: "A message was stored; at most once, clients repair by seq."}
	MessageRemovedPushed = Push[MessageRemovedData]{Op: "message.removed", Scope: ScopeRoom, Publishers: []Service{Chat}, Doc: "A message was removed; a tombstone stays."}
	RoomHeadPushed       = Push[RoomHeadData]{Op: "room.head", Scope: ScopeRoom, Publishers: []Service{Chat}, Doc: "Where a room's log ends."}
	RoomReadPushed       = Push[RoomReadData]{Op: "room.read", Scope: ScopeRoom, Publishers: []Service{Chat}, Doc: "A member's read position moved."}
	RoomReadsPushed      = Push[RoomReadsData]{Op: "room.reads", Scope: ScopeRoom, Publishers: []Service{Chat}, Doc: "Several members' read positions moved since the last push of them: at most 100."}
	OwnReadPushed        = Push[RoomReadData]{Op: "room.read", Scope: ScopeUser, Publishers: []Service{Chat}, Doc: "The user's own read position moved, in a room too large for all to be told."}
)

// MessageEvent is the data of an event about one message.
type MessageEvent struct {
	RoomID string `json:"room_id"`
	Seq    int64  `json:"seq"`
	By     string `json:"by"`
}

// MessageTombstoned is all that chat reports. Sends are not in it: the log is
// their record.
var MessageTombstoned = EventType[MessageEvent]{Service: Chat, Name: "message.removed", Doc: "A message was replaced by a tombstone."}

// RemovedByRetention stands in the place of a user's id where a message was
// removed because it was old. No user has it.
const RemovedByRetention = "retention"

// MessagesExpired is one event for many messages: all up to Seq.
var MessagesExpired = EventType[MessageEvent]{Service: Chat, Name: "messages.expired", Doc: "The messages of a room up to a seq were replaced by tombstones, because they were older than they are kept."}
