package social

import (
	"slices"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// Room is a group with its members, one record: whoever changes any of it
// replaces the revision that they saw. A disbanded room stays, without
// members, so that its revision goes on.
type Room struct {
	ID        string
	Name      string
	History   contract.History
	CreatedBy string
	ClientID  string // of the request that made it; may be empty
	CreatedAt contract.Time
	Disbanded bool
	Members   []Member // the longest-serving first
	Rev       int64
}

// Member is one member of a group.
type Member struct {
	UserID   string
	Role     contract.Role
	FirstSeq int64 // the first that they may read
	JoinedAt contract.Time
}

// What is refused, whoever asks.
var (
	errNoRoom    = fault.New(fault.NotFound, "there is no such room")
	errNoMember  = fault.New(fault.NotFound, "they are not a member")
	errNotRole   = fault.New(fault.PermissionDenied, "your role does not allow this")
	errDirect    = fault.New(fault.FailedPrecondition, "a direct room is of its two friends: remove the friend instead")
	errGroupFull = fault.New(fault.FailedPrecondition, "the group is full")
)

// member finds a member, or nil.
func (r *Room) member(userID string) *Member {
	i := slices.IndexFunc(r.Members, func(m Member) bool { return m.UserID == userID })
	if i < 0 {
		return nil
	}
	return &r.Members[i]
}

// leads reports whether the user is owner or admin.
func (r *Room) leads(userID string) bool {
	m := r.member(userID)
	return m != nil && (m.Role == contract.RoleOwner || m.Role == contract.RoleAdmin)
}

// owns reports whether the user is the owner.
func (r *Room) owns(userID string) bool {
	m := r.member(userID)
	return m != nil && m.Role == contract.RoleOwner
}

// add takes the users in who are not members yet, all or none.
func (r *Room) add(userIDs []string, limit int, firstSeq int64, now contract.Time) (added []Member, already []string, err error) {
	members := make(map[string]bool, len(r.Members))
	for _, m := range r.Members {
		members[m.UserID] = true
	}
	for _, userID := range userIDs {
		if members[userID] {
			already = append(already, userID)
			continue
		}
		added = append(added, Member{UserID: userID, Role: contract.RoleMember, FirstSeq: firstSeq, JoinedAt: now})
	}
	if len(r.Members)+len(added) > limit {
		return nil, nil, errGroupFull
	}
	r.Members = append(r.Members, added...)
	return added, already, nil
}

// remove takes a user out: oneself, or someone of a lower role. It returns
// the new owner, if the owner left, and disbands the room with the last.
func (r *Room) remove(by, userID string) (heir *Member, err error) {
	m := r.member(userID)
	switch {
	case m == nil:
		return nil, errNoMember
	case by == userID:
	case r.owns(by):
	case r.leads(by) && m.Role == contract.RoleMember:
	default:
		return nil, errNotRole
	}
	owned := m.Role == contract.RoleOwner
	r.Members = slices.DeleteFunc(r.Members, func(m Member) bool { return m.UserID == userID })
	switch {
	case len(r.Members) == 0:
		r.Disbanded = true
	case owned:
		heir = r.heir()
		heir.Role = contract.RoleOwner
	}
	return heir, nil
}

// heir is who takes over from an owner: the longest-serving admin, else the
// longest-serving member.
func (r *Room) heir() *Member {
	for i := range r.Members {
		if r.Members[i].Role == contract.RoleAdmin {
			return &r.Members[i]
		}
	}
	return &r.Members[0]
}

// setRole gives a member a role. A new owner makes the one before an admin.
// It returns everyone whose role changed.
func (r *Room) setRole(by, userID string, role contract.Role) (changed []Member, err error) {
	m := r.member(userID)
	switch {
	case !r.owns(by):
		return nil, errNotRole
	case m == nil:
		return nil, errNoMember
	case by == userID:
		return nil, fault.New(fault.FailedPrecondition, "an owner hands the group over to someone else")
	case m.Role == role:
		return nil, nil
	}
	m.Role = role
	changed = append(changed, *m)
	if role == contract.RoleOwner {
		before := r.member(by)
		before.Role = contract.RoleAdmin
		changed = append(changed, *before)
	}
	return changed, nil
}

// info is the room as one of its members sees it.
func (r *Room) info(m Member) contract.RoomInfo {
	return contract.RoomInfo{
		ID: r.ID, Type: contract.RoomGroup, Name: r.Name, Role: m.Role, History: r.History,
		MemberCount: len(r.Members), FirstSeq: m.FirstSeq, Rev: r.Rev, CreatedAt: r.CreatedAt,
	}
}

// wire is the member as clients see them.
func (m Member) wire() contract.Member {
	return contract.Member{UserID: m.UserID, Role: m.Role, JoinedAt: m.JoinedAt}
}

// wireMembers is members as events carry them.
func wireMembers(members []Member) []contract.RoomMember {
	list := make([]contract.RoomMember, len(members))
	for i, m := range members {
		list[i] = contract.RoomMember{UserID: m.UserID, Role: m.Role, FirstSeq: m.FirstSeq, JoinedAt: m.JoinedAt}
	}
	return list
}

// creation is what a store keeps unique of a room: who made it, with which
// request.
func (r *Room) creation() string {
	if r.ClientID == "" {
		return creation(r.CreatedBy, r.ID)
	}
	return creation(r.CreatedBy, r.ClientID)
}

// creation joins two ids; neither has a dot.
func creation(userID, clientID string) string { return userID + "." + clientID }
