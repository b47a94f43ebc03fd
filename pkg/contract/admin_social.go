package contract

// AdminRoom is a room as an admin sees it.
type AdminRoom struct {
	ID          string   `json:"id"`
	Type        RoomType `json:"type"`
	Name        string   `json:"name"`
	OwnerID     string   `json:"owner_id,omitempty"` // of a group
	Closed      bool     `json:"closed"`             // disbanded, or no longer friends
	MemberCount int      `json:"member_count"`
	CreatedAt   Time     `json:"created_at"`
	Rev         int64    `json:"rev"`
}

// AdminMembersRequest lists a room's members for an admin.
type AdminMembersRequest struct {
	Act    Act    `json:"act"`
	RoomID string `json:"room_id"`
	Limit  int    `json:"limit"`
	Cursor string `json:"cursor,omitempty"`
}

// AnnounceUserRequest has social tell everyone who shares a room with a user
// that they are gone, or back.
type AnnounceUserRequest struct {
	UserID   string `json:"user_id"`
	Disabled bool   `json:"disabled"`
}

// What social answers to admins, and to auth about them.
var (
	ShowRoom       = Method[AdminRoomRequest, AdminRoom]{Service: Social, Name: "show_room", Callers: []Service{Admin}, Doc: "A room, whoever is in it."}
	ShowMembers    = Method[AdminMembersRequest, MemberPage]{Service: Social, Name: "show_members", Callers: []Service{Admin}, Doc: "A room's members."}
	ForceDisband   = Method[AdminRoomRequest, AdminRoom]{Service: Social, Name: "force_disband", Callers: []Service{Admin}, Doc: "End a group for everyone, whoever owns it."}
	AnnounceUser   = Method[AnnounceUserRequest, Empty]{Service: Social, Name: "announce_user", Repeatable: true, Callers: []Service{Auth}, Doc: "Tell those who share a room with a user that they are gone, or back."}
	ExportSocial   = Method[ExportRequest, ExportPage]{Service: Social, Name: "export_user", Callers: []Service{Admin}, Doc: "A user's friendships and groups."}
	EraseSocial    = Method[AdminUserRequest, EraseReply]{Service: Social, Name: "erase_user", Callers: []Service{Admin}, Doc: "End a user's friendships, and take them out of all groups."}
	DiagnoseSocial = Method[Empty, Diagnosis]{Service: Social, Name: "diagnose", Pinned: true, Callers: []Service{Admin}, Doc: "How a replica finds itself and what it depends on."}
)

// SocialAudit is what social reports of admins.
var SocialAudit = EventType[AuditEvent]{Service: Social, Name: "audit", Doc: "An admin did or saw something; by, reason and action say what."}
