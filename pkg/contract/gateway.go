package contract

// Room is a room as HTTP clients and the push room.created see it: what
// social and chat know, put together.
type Room struct {
	ID          string       `json:"id"`
	Type        RoomType     `json:"type"`
	Name        string       `json:"name"`
	Peer        *UserProfile `json:"peer,omitempty"` // the other one, in a direct room
	Role        Role         `json:"role"`
	Closed      bool         `json:"closed"`
	MemberCount int          `json:"member_count"`
	FirstSeq    int64        `json:"first_seq"`
	LastSeq     int64        `json:"last_seq"`
	ReadSeq     int64        `json:"read_seq"`
	Unread      int64        `json:"unread"`
	LastMessage *Message     `json:"last_message,omitempty"`
	CreatedAt   Time         `json:"created_at"`
}

// UserProfile is a Profile together with whether its user is a friend of who
// asks.
type UserProfile struct {
	Profile
	IsFriend bool `json:"is_friend"`
}

// AuthData is what the op auth carries.
type AuthData struct {
	Token string `json:"token"`
}

// ReadyData is the answer to auth, and the push ready.
type ReadyData struct {
	UserID       string     `json:"user_id"`
	SessionID    string     `json:"session_id"`
	ConnectionID string     `json:"connection_id"`
	HeartbeatMS  int64      `json:"heartbeat_ms"` // the server pings this often
	Limits       Limits     `json:"limits"`
	Rooms        []RoomHead `json:"rooms"`
}

// Limits tells a client what a gateway accepts.
type Limits struct {
	FrameBytes     int     `json:"frame_bytes"`
	TextLength     int     `json:"text_length"`
	PageSize       int     `json:"page_size"`
	SendsPerSecond float64 `json:"sends_per_second"`
	SendBurst      int     `json:"send_burst"`
}

// SendData is what the op message.send carries.
type SendData struct {
	RoomID   string      `json:"room_id"`
	ClientID string      `json:"client_id"`
	Type     MessageType `json:"type"`
	Content  Content     `json:"content"`
}

// GetData is what the op messages.get carries.
type GetData struct {
	RoomID    string `json:"room_id"`
	AfterSeq  *int64 `json:"after_seq,omitempty"`
	BeforeSeq *int64 `json:"before_seq,omitempty"`
	Limit     int    `json:"limit,omitempty"`
}

// SeqData is what the ops message.remove and read.set carry.
type SeqData struct {
	RoomID string `json:"room_id"`
	Seq    int64  `json:"seq"`
}

// DrainingData tells a client to connect elsewhere.
type DrainingData struct {
	ReconnectAfterMS int64 `json:"reconnect_after_ms"` // jittered: spread the load
}

// What a gateway pushes to one connection by itself.
var (
	Ready          = Push[ReadyData]{Op: OpReady, Scope: ScopeConn, Publishers: []Service{Gateway}, Doc: "Header authentication succeeded; where the rooms stand."}
	ServerDraining = Push[DrainingData]{Op: OpServerDraining, Scope: ScopeConn, Publishers: []Service{Gateway}, Doc: "This gateway is leaving: reconnect after the given time."}
)
