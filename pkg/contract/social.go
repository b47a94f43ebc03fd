package contract

import "errors"

// RoomType says what a conversation is.
type RoomType string

// The types of rooms.
const (
	RoomDirect RoomType = "direct" // two friends
	RoomGroup  RoomType = "group"
)

// Role is what a member may do in a group. In a direct room both are members.
type Role string

// The roles, from the most to the least.
const (
	RoleOwner  Role = "owner"
	RoleAdmin  Role = "admin"
	RoleMember Role = "member"
)

// History says what a new member may read.
type History string

// The settings of History.
const (
	HistoryJoined History = "joined" // from joining on; the default
	HistoryAll    History = "all"    // everything
)

// FriendStatus is the state of a friendship as the wire shows it.
type FriendStatus string

// StatusFriends is the only status so far; requests that need consent will
// add more.
const StatusFriends FriendStatus = "friends"

// AddFriendRequest befriends the caller with a user named by exactly one of
// Account and UserID.
type AddFriendRequest struct {
	Caller  Caller `json:"caller"`
	Account string `json:"account,omitempty"`
	UserID  string `json:"user_id,omitempty"`
}

// AddFriendReply is the new friendship.
type AddFriendReply struct {
	Status FriendStatus `json:"status"`
	RoomID string       `json:"room_id"` // their direct room
	User   Profile      `json:"user"`
}

// RemoveFriendRequest ends a friendship; the direct room closes.
type RemoveFriendRequest struct {
	Caller Caller `json:"caller"`
	UserID string `json:"user_id"`
}

// ListFriendsRequest lists the caller's friends, by their ids' order.
type ListFriendsRequest struct {
	Caller Caller `json:"caller"`
	Limit  int    `json:"limit"`
	Cursor string `json:"cursor,omitempty"`
}

// Friend is one friend of the caller.
type Friend struct {
	UserID string `json:"user_id"`
	RoomID string `json:"room_id"`
	Since  Time   `json:"since"`
}

// FriendPage is a page of friends.
type FriendPage struct {
	Items      []Friend `json:"items"`
	NextCursor string   `json:"next_cursor"` // empty on the last page
}

// AreFriendsRequest asks which of some users are friends of the caller, at
// most 200.
type AreFriendsRequest struct {
	Caller  Caller   `json:"caller"`
	UserIDs []string `json:"user_ids"`
}

// AreFriendsReply holds those of the users asked about who are friends.
type AreFriendsReply struct {
	UserIDs []string `json:"user_ids"`
}

// RoomInfo is what social knows of a room, as one of its members sees it.
type RoomInfo struct {
	ID          string   `json:"id"`
	Type        RoomType `json:"type"`
	Name        string   `json:"name"`              // empty for a direct room
	PeerID      string   `json:"peer_id,omitempty"` // the other one, in a direct room
	Role        Role     `json:"role"`              // the caller's
	Closed      bool     `json:"closed"`            // a direct room whose two are no longer friends
	History     History  `json:"history"`
	MemberCount int      `json:"member_count"`
	FirstSeq    int64    `json:"first_seq"` // the first that the caller may read
	Rev         int64    `json:"rev"`
	CreatedAt   Time     `json:"created_at"`
}

// CreateRoomRequest makes a group with friends of the caller.
type CreateRoomRequest struct {
	Caller    Caller   `json:"caller"`
	Name      string   `json:"name"`
	MemberIDs []string `json:"member_ids,omitempty"`
	// ClientID makes a retry harmless: the caller's room with it is made once.
	ClientID string  `json:"client_id,omitempty"`
	History  History `json:"history,omitempty"` // empty: joined
}

// CreateRoomReply is the room, and whether this request made it.
type CreateRoomReply struct {
	Room    RoomInfo `json:"room"`
	Created bool     `json:"created"`
}

// GetRoomsRequest asks for some of the caller's rooms, at most 200.
type GetRoomsRequest struct {
	Caller  Caller   `json:"caller"`
	RoomIDs []string `json:"room_ids"`
}

// GetRoomsReply holds those of the rooms that are the caller's, in the order
// asked.
type GetRoomsReply struct {
	Rooms []RoomInfo `json:"rooms"`
}

// RoomRequest names one room of the caller.
type RoomRequest struct {
	Caller Caller `json:"caller"`
	RoomID string `json:"room_id"`
}

// RenameRoomRequest renames a group; for owners and admins.
type RenameRoomRequest struct {
	Caller Caller `json:"caller"`
	RoomID string `json:"room_id"`
	Name   string `json:"name"`
}

// Member is one member of a room.
type Member struct {
	UserID   string `json:"user_id"`
	Role     Role   `json:"role"`
	JoinedAt Time   `json:"joined_at"`
}

// ListMembersRequest lists a room's members, the longest-serving first.
type ListMembersRequest struct {
	Caller Caller `json:"caller"`
	RoomID string `json:"room_id"`
	Limit  int    `json:"limit"`
	Cursor string `json:"cursor,omitempty"`
}

// MemberPage is a page of members.
type MemberPage struct {
	Items      []Member `json:"items"`
	NextCursor string   `json:"next_cursor"` // empty on the last page
}

// AddMembersRequest adds friends of the caller to a group, all or none.
type AddMembersRequest struct {
	Caller  Caller   `json:"caller"`
	RoomID  string   `json:"room_id"`
	UserIDs []string `json:"user_ids"`
}

// AddMembersReply says who was added and who was a member before.
type AddMembersReply struct {
	Added   []string `json:"added"`
	Already []string `json:"already"`
}

// SetRoleRequest changes a member's role; for owners. RoleOwner hands the
// group over and makes the caller an admin.
type SetRoleRequest struct {
	Caller Caller `json:"caller"`
	RoomID string `json:"room_id"`
	UserID string `json:"user_id"`
	Role   Role   `json:"role"`
}

// RemoveMemberRequest takes a member out of a group: oneself, or by an owner
// or admin someone of a lower role.
type RemoveMemberRequest struct {
	Caller Caller `json:"caller"`
	RoomID string `json:"room_id"`
	UserID string `json:"user_id"`
}

// MembershipRequest asks what one user may do in one room.
type MembershipRequest struct {
	RoomID string `json:"room_id"`
	UserID string `json:"user_id"`
}

// Membership is one user's place in one room.
type Membership struct {
	RoomID   string   `json:"room_id"`
	Type     RoomType `json:"type"`
	Role     Role     `json:"role"`
	Closed   bool     `json:"closed"`    // may read, may not send
	FirstSeq int64    `json:"first_seq"` // the first that the user may read
	Rev      int64    `json:"rev"`       // of the room; events carry it
	JoinedAt Time     `json:"joined_at"`
}

// MembershipReply answers MembershipRequest. A user who is no member, and a
// room that is not or no longer there, is Member false with the room's Rev
// (zero when there never was one).
type MembershipReply struct {
	Member      bool       `json:"member"`
	Membership  Membership `json:"membership"`
	MemberCount int        `json:"member_count"` // of the room; 0 for who is no member
}

// MembershipsRequest asks for the rooms of a user: a page of all, or those among
// RoomIDs, at most 200.
type MembershipsRequest struct {
	UserID  string   `json:"user_id"`
	RoomIDs []string `json:"room_ids,omitempty"`
	Cursor  string   `json:"cursor,omitempty"` // the NextCursor of the page before; without RoomIDs only
}

// MembershipsReply is a page of the user's rooms, at most MaxRoomPage: of each
// column one entry a room. A page holds the rooms whose ids follow those of the
// page before, in no order. It is read for each page of a room list, and rows
// would take four times the bytes and six times the work.
type MembershipsReply struct {
	RoomIDs    []string `json:"room_ids"`
	FirstSeqs  []int64  `json:"first_seqs"`
	Revs       []int64  `json:"revs"`
	JoinedAt   []int64  `json:"joined_at"`             // milliseconds since the Unix epoch
	NextCursor string   `json:"next_cursor,omitempty"` // empty on the last page
}

// NewMembershipsReply makes the columns of rows.
func NewMembershipsReply(rows []Membership) MembershipsReply {
	r := MembershipsReply{
		RoomIDs: make([]string, len(rows)), FirstSeqs: make([]int64, len(rows)),
		Revs: make([]int64, len(rows)), JoinedAt: make([]int64, len(rows)),
	}
	for i, m := range rows {
		r.RoomIDs[i], r.FirstSeqs[i], r.Revs[i], r.JoinedAt[i] = m.RoomID, m.FirstSeq, m.Rev, m.JoinedAt.UnixMilli()
	}
	return r
}

// Rows makes rows of the columns; what there is no column of is left empty. It
// refuses columns of different length.
func (r MembershipsReply) Rows() ([]Membership, error) {
	n := len(r.RoomIDs)
	if len(r.FirstSeqs) != n || len(r.Revs) != n || len(r.JoinedAt) != n {
		return nil, errors.New("memberships: the columns differ in length")
	}
	rows := make([]Membership, n)
	for i := range rows {
		rows[i] = Membership{RoomID: r.RoomIDs[i], FirstSeq: r.FirstSeqs[i], Rev: r.Revs[i], JoinedAt: FromMilli(r.JoinedAt[i])}
	}
	return rows, nil
}

// What social answers.
var (
	AddFriend       = Method[AddFriendRequest, AddFriendReply]{Service: Social, Name: "add_friend", Callers: []Service{Gateway}, Doc: "Befriend a user."}
	RemoveFriend    = Method[RemoveFriendRequest, Empty]{Service: Social, Name: "remove_friend", Callers: []Service{Gateway}, Doc: "End a friendship."}
	ListFriends     = Method[ListFriendsRequest, FriendPage]{Service: Social, Name: "list_friends", Repeatable: true, Callers: []Service{Gateway}, Doc: "List the caller's friends."}
	AreFriends      = Method[AreFriendsRequest, AreFriendsReply]{Service: Social, Name: "are_friends", Repeatable: true, Callers: []Service{Gateway}, Doc: "Which of some users are friends of the caller."}
	CreateRoom      = Method[CreateRoomRequest, CreateRoomReply]{Service: Social, Name: "create_room", Callers: []Service{Gateway}, Doc: "Make a group."}
	GetRooms        = Method[GetRoomsRequest, GetRoomsReply]{Service: Social, Name: "get_rooms", Repeatable: true, Callers: []Service{Gateway}, Doc: "Some of the caller's rooms."}
	RenameRoom      = Method[RenameRoomRequest, RoomInfo]{Service: Social, Name: "rename_room", Callers: []Service{Gateway}, Doc: "Rename a group."}
	DisbandRoom     = Method[RoomRequest, Empty]{Service: Social, Name: "disband_room", Callers: []Service{Gateway}, Doc: "End a group for everyone."}
	ListMembers     = Method[ListMembersRequest, MemberPage]{Service: Social, Name: "list_members", Repeatable: true, Callers: []Service{Gateway}, Doc: "List a room's members."}
	AddMembers      = Method[AddMembersRequest, AddMembersReply]{Service: Social, Name: "add_members", Callers: []Service{Gateway}, Doc: "Add friends to a group."}
	SetRole         = Method[SetRoleRequest, Member]{Service: Social, Name: "set_role", Callers: []Service{Gateway}, Doc: "Change a member's role."}
	RemoveMember    = Method[RemoveMemberRequest, Empty]{Service: Social, Name: "remove_member", Callers: []Service{Gateway}, Doc: "Leave a group, or remove someone from it."}
	GetMembership   = Method[MembershipRequest, MembershipReply]{Service: Social, Name: "get_membership", Repeatable: true, Leaf: true, Callers: []Service{Chat}, Doc: "One user's place in one room."}
	ListMemberships = Method[MembershipsRequest, MembershipsReply]{Service: Social, Name: "list_memberships", Repeatable: true, Leaf: true, Grouped: maxListers, Callers: []Service{Chat}, Doc: "A user's rooms, up to 5,000 a page, or some of them."}
)

// FriendAddedData tells a user of a new friend.
type FriendAddedData struct {
	User   Profile `json:"user"`
	RoomID string  `json:"room_id"`
	Since  Time    `json:"since"`
	Rev    int64   `json:"rev"`
}

// FriendRemovedData tells a user that a friendship has ended.
type FriendRemovedData struct {
	UserID string `json:"user_id"`
	RoomID string `json:"room_id"`
	Rev    int64  `json:"rev"`
}

// RoomCreatedData tells a user of a room that is new to them.
type RoomCreatedData struct {
	Room Room  `json:"room"`
	Rev  int64 `json:"rev"` // of the room, or the friendship, at which the user is in it
}

// RoomUpdatedData tells members that a room's name or state changed, or a
// member's role.
type RoomUpdatedData struct {
	RoomID string  `json:"room_id"`
	Name   string  `json:"name"`
	Closed bool    `json:"closed"`
	Member *Member `json:"member,omitempty"` // whose role changed
	Rev    int64   `json:"rev"`
}

// RoomDisbandedData tells members that a group has ended.
type RoomDisbandedData struct {
	RoomID string `json:"room_id"`
	Rev    int64  `json:"rev"`
}

// MemberJoinedData tells members who joined.
type MemberJoinedData struct {
	RoomID      string   `json:"room_id"`
	Members     []Member `json:"members"`
	By          string   `json:"by"` // who added them
	MemberCount int      `json:"member_count"`
	Rev         int64    `json:"rev"`
}

// MemberLeftData tells members, the one who left too, who left.
type MemberLeftData struct {
	RoomID      string `json:"room_id"`
	UserID      string `json:"user_id"`
	By          string `json:"by"`                     // the same when they left by themselves
	NewOwnerID  string `json:"new_owner_id,omitempty"` // who the group was handed to
	MemberCount int    `json:"member_count"`
	Rev         int64  `json:"rev"`
}

// What social pushes.
var (
	FriendAdded   = Push[FriendAddedData]{Op: "friend.added", Scope: ScopeUser, Publishers: []Service{Social}, Doc: "Two people became friends; sent to both once their room is live."}
	FriendRemoved = Push[FriendRemovedData]{Op: "friend.removed", Scope: ScopeUser, Publishers: []Service{Social}, Doc: "A friendship has ended; the direct room is closed."}
	RoomCreated   = Push[RoomCreatedData]{Op: "room.created", Scope: ScopeUser, Publishers: []Service{Social}, Doc: "A room is new to this user; sent once it is live."}
	RoomUpdated   = Push[RoomUpdatedData]{Op: "room.updated", Scope: ScopeRoom, Publishers: []Service{Social}, Doc: "A room's name or state, or a member's role, changed."}
	RoomDisbanded = Push[RoomDisbandedData]{Op: "room.disbanded", Scope: ScopeRoom, Publishers: []Service{Social}, Doc: "A group has ended."}
	MemberJoined  = Push[MemberJoinedData]{Op: "member.joined", Scope: ScopeRoom, Publishers: []Service{Social}, Doc: "People joined a group."}
	MemberLeft    = Push[MemberLeftData]{Op: "member.left", Scope: ScopeRoom, Publishers: []Service{Social}, Doc: "Someone left a group or was removed."}
)

// FriendshipEvent is the data of an event about a friendship.
type FriendshipEvent struct {
	RoomID  string   `json:"room_id"`
	UserIDs []string `json:"user_ids"` // the two, in ascending order
	By      string   `json:"by"`
	Rev     int64    `json:"rev"`
}

// RoomMember is a member as room events carry it.
type RoomMember struct {
	UserID   string `json:"user_id"`
	Role     Role   `json:"role"`
	FirstSeq int64  `json:"first_seq"`
	JoinedAt Time   `json:"joined_at"`
}

// RoomEvent is the data of an event about a group. Members holds those whom
// it concerns, as they are after it; who left is in Left.
type RoomEvent struct {
	RoomID  string       `json:"room_id"`
	Rev     int64        `json:"rev"`
	By      string       `json:"by"`
	Members []RoomMember `json:"members,omitempty"`
	Left    []string     `json:"left,omitempty"`
}

// What social reports. From the start of IM_EVENTS they rebuild every
// friendship, room and membership.
var (
	FriendshipMade  = EventType[FriendshipEvent]{Service: Social, Name: "friendship.made", Doc: "Two people became friends; their direct room is open."}
	FriendshipEnded = EventType[FriendshipEvent]{Service: Social, Name: "friendship.ended", Doc: "A friendship has ended; their direct room is closed."}
	GroupCreated    = EventType[RoomEvent]{Service: Social, Name: "group.created", Doc: "A group was made; members holds all of them."}
	GroupRenamed    = EventType[RoomEvent]{Service: Social, Name: "group.renamed", Doc: "A group was renamed."}
	GroupJoined     = EventType[RoomEvent]{Service: Social, Name: "group.joined", Doc: "People joined a group."}
	GroupLeft       = EventType[RoomEvent]{Service: Social, Name: "group.left", Doc: "Someone left a group or was removed; members holds a new owner."}
	GroupRole       = EventType[RoomEvent]{Service: Social, Name: "group.role", Doc: "Roles in a group changed."}
	GroupDisbanded  = EventType[RoomEvent]{Service: Social, Name: "group.disbanded", Doc: "A group has ended."}
)
