package contract

import (
	"errors"
	"fmt"
	"strings"
)

// The roots of Parley's subjects.
const (
	svcRoot  = "im.svc."
	roomRoot = "im.room."
	userRoot = "im.user."
	evtRoot  = "im.evt."
)

// MaxIDLength is the most characters that an id may have.
const MaxIDLength = 64

// ErrUnsafeID refuses an id that is not [A-Za-z0-9_-]{1,64}. Published or
// subscribed to, such an id could name other people's subjects: "*" and ">"
// are wildcards and "." starts a new token.
var ErrUnsafeID = errors.New("unsafe id for a subject")

// ValidID reports whether s may stand as one token of a subject.
func ValidID(s string) bool {
	if len(s) == 0 || len(s) > MaxIDLength {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// RoomSubject is where one kind of push for a room's members is published:
// im.room.<room_id>.<op>.
func RoomSubject(roomID string, op Op) (string, error) {
	return idSubject(roomRoot, roomID, op)
}

// UserSubject is where one kind of push for a user is published:
// im.user.<user_id>.<op>.
func UserSubject(userID string, op Op) (string, error) {
	return idSubject(userRoot, userID, op)
}

// RoomSubjects matches every push of one room.
func RoomSubjects(roomID string) (string, error) {
	return idSubject(roomRoot, roomID, ">")
}

// UserSubjects matches every push for one user.
func UserSubjects(userID string) (string, error) {
	return idSubject(userRoot, userID, ">")
}

// EveryRoom matches one kind of push in all rooms.
func EveryRoom(op Op) string { return roomRoot + "*." + string(op) }

// EveryUser matches one kind of push for all users.
func EveryUser(op Op) string { return userRoot + "*." + string(op) }

// EventSubjects matches every durable event of a service.
func EventSubjects(s Service) string { return evtRoot + string(s) + ".>" }

// AllEvents matches every durable event; the stream IM_EVENTS captures it.
const AllEvents = evtRoot + ">"

// ParseRoomSubject splits im.room.<room_id>.<op>. The strings share memory
// with subject.
func ParseRoomSubject(subject string) (roomID string, op Op, ok bool) {
	return parseIDSubject(roomRoot, subject)
}

// ParseUserSubject splits im.user.<user_id>.<op>.
func ParseUserSubject(subject string) (userID string, op Op, ok bool) {
	return parseIDSubject(userRoot, subject)
}

func idSubject(root, id string, op Op) (string, error) {
	if !ValidID(id) {
		return "", fmt.Errorf("%w: %q", ErrUnsafeID, id)
	}
	return root + id + "." + string(op), nil
}

func parseIDSubject(root, subject string) (id string, op Op, ok bool) {
	rest, ok := strings.CutPrefix(subject, root)
	if !ok {
		return "", "", false
	}
	id, tail, ok := strings.Cut(rest, ".")
	if !ok || !ValidID(id) || tail == "" {
		return "", "", false
	}
	return id, Op(tail), true
}
