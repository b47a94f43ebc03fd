package client

import "github.com/parley-im/parley/pkg/contract"

// Event is something that happened: one of the types below, as a pointer.
// Messages of a room come in the order of their seq, each once, without gaps.
// The others are told as they come and at most once; after [Connected] and
// [Lagged], lists that an app keeps (rooms, friends, members) are read again.
type Event interface{ event() }

type (
	// Message is the next message of a room. A removed one that was not passed
	// on before comes in its place, with the type "removed" and no content.
	Message struct{ contract.Message }
	// MessageRemoved says that a message, perhaps passed on before, has been
	// replaced by a tombstone.
	MessageRemoved struct{ contract.MessageRemovedData }
	// RoomRead says how far someone has read; in large rooms only of the user.
	RoomRead struct{ contract.RoomReadData }
	// RoomCreated is a room that is new to the user.
	RoomCreated struct{ contract.RoomCreatedData }
	// RoomUpdated is a room's new name or state, or a member's new role.
	RoomUpdated struct{ contract.RoomUpdatedData }
	// RoomDisbanded is the end of a group.
	RoomDisbanded struct{ contract.RoomDisbandedData }
	// MemberJoined names who joined a group.
	MemberJoined struct{ contract.MemberJoinedData }
	// MemberLeft names who left a group or was removed, perhaps the user.
	MemberLeft struct{ contract.MemberLeftData }
	// FriendAdded is a new friend, with the direct room.
	FriendAdded struct{ contract.FriendAddedData }
	// FriendRemoved is the end of a friendship; the direct room is closed.
	FriendRemoved struct{ contract.FriendRemovedData }
	// UserDisabled says that a member of a room was disabled or erased, or, with
	// Disabled false, is back. An app reads again what it shows of them.
	UserDisabled struct{ contract.UserDisabledData }
	// SessionRevoked is the end of one of the user's sessions. That of the
	// client's own ends the client.
	SessionRevoked struct{ contract.SessionRevokedData }

	// Connected says that a connection is live, and where the rooms stand.
	Connected struct {
		contract.ReadyData
		Gateway string // base URL
	}
	// Disconnected says that the connection was lost, and why. The client
	// connects again by itself.
	Disconnected struct{ Err error }
	// Lagged says that events, but no messages, were dropped because nobody
	// took them.
	Lagged struct{}
)

func (*Message) event()        {}
func (*MessageRemoved) event() {}
func (*RoomRead) event()       {}
func (*RoomCreated) event()    {}
func (*RoomUpdated) event()    {}
func (*RoomDisbanded) event()  {}
func (*MemberJoined) event()   {}
func (*MemberLeft) event()     {}
func (*FriendAdded) event()    {}
func (*FriendRemoved) event()  {}
func (*UserDisabled) event()   {}
func (*SessionRevoked) event() {}
func (*Connected) event()      {}
func (*Disconnected) event()   {}
func (*Lagged) event()         {}
