package client

import (
	"encoding/json"

	"github.com/parley-im/parley/pkg/contract"
)

// pushes says what becomes of each kind of push. All are called with the
// stream's lock held.
var pushes = map[contract.Op]func(*stream, json.RawMessage) error{
	contract.MessagePushed.Op: on((*stream).message),
	contract.RoomHeadPushed.Op: on(func(s *stream, d contract.RoomHeadData) {
		r := s.at(d.RoomID)
		r.heard(d.LastSeq)
		r.gone = false // else the range tells so
		s.look(r, s.o.Hold)
	}),
	contract.RoomCreated.Op: on(func(s *stream, d contract.RoomCreatedData) {
		s.stands(d.Room.ID, d.Room.FirstSeq, d.Room.LastSeq, false)
		s.emit(&RoomCreated{d})
	}),
	contract.FriendAdded.Op: on(func(s *stream, d contract.FriendAddedData) {
		s.at(d.RoomID).gone = false
		s.emit(&FriendAdded{d})
	}),
	contract.MemberLeft.Op: on(func(s *stream, d contract.MemberLeftData) {
		if r, ok := s.rooms[d.RoomID]; ok && d.UserID == s.userID {
			s.leave(r)
		}
		s.emit(&MemberLeft{d})
	}),
	contract.RoomDisbanded.Op: on(func(s *stream, d contract.RoomDisbandedData) {
		if r, ok := s.rooms[d.RoomID]; ok {
			s.leave(r)
		}
		s.emit(&RoomDisbanded{d})
	}),
	contract.MessageRemovedPushed.Op: on((*stream).removed),
	contract.RoomReadPushed.Op:       on(func(s *stream, d contract.RoomReadData) { s.emit(&RoomRead{d}) }),
	contract.RoomReadsPushed.Op: on(func(s *stream, d contract.RoomReadsData) {
		for _, m := range d.Reads {
			s.emit(&RoomRead{contract.RoomReadData{RoomID: d.RoomID, UserID: m.UserID, Seq: m.Seq}})
		}
	}),
	contract.RoomUpdated.Op:    on(func(s *stream, d contract.RoomUpdatedData) { s.emit(&RoomUpdated{d}) }),
	contract.MemberJoined.Op:   on(func(s *stream, d contract.MemberJoinedData) { s.emit(&MemberJoined{d}) }),
	contract.UserDisabled.Op:   on(func(s *stream, d contract.UserDisabledData) { s.emit(&UserDisabled{d}) }),
	contract.FriendRemoved.Op:  on(func(s *stream, d contract.FriendRemovedData) { s.emit(&FriendRemoved{d}) }),
	contract.SessionRevoked.Op: on(func(s *stream, d contract.SessionRevokedData) { s.emit(&SessionRevoked{d}) }),
}

// on decodes a push's data for what takes it in.
func on[T any](take func(*stream, T)) func(*stream, json.RawMessage) error {
	return func(s *stream, data json.RawMessage) error {
		var d T
		if err := json.Unmarshal(data, &d); err != nil {
			return err
		}
		take(s, d)
		return nil
	}
}
