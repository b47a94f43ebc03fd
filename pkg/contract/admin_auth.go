package contract

// ShowUserRequest looks a user up for an admin, by id, account or e-mail.
type ShowUserRequest struct {
	Act  Act    `json:"act"`
	User string `json:"user"`
}

// AdminUser is a user as an admin sees them.
type AdminUser struct {
	User
	DisabledAt *Time     `json:"disabled_at,omitempty"`
	ErasedAt   *Time     `json:"erased_at,omitempty"`
	Sessions   []Session `json:"sessions"` // that live, the last used first
}

// EndSessionsRequest ends a user's sessions, or one of them.
type EndSessionsRequest struct {
	Act       Act    `json:"act"`
	UserID    string `json:"user_id"`
	SessionID string `json:"session_id,omitempty"` // empty: all
}

// EndSessionsReply says how many it ended.
type EndSessionsReply struct {
	Ended int `json:"ended"`
}

// IssueTokenRequest opens a session for a user, for tests.
type IssueTokenRequest struct {
	Act        Act    `json:"act"`
	UserID     string `json:"user_id"`
	DeviceName string `json:"device_name,omitempty"`
}

// SigningKey is a key of access tokens as an admin sees it.
type SigningKey struct {
	ID        string `json:"id"`
	CreatedAt Time   `json:"created_at"`
	SignsFrom Time   `json:"signs_from"`           // from then on tokens are signed with it
	RetiredAt *Time  `json:"retired_at,omitempty"` // from then on its tokens are not accepted
}

// KeysReply lists the keys that are known to gateways, the newest first.
type KeysReply struct {
	Keys []SigningKey `json:"keys"`
}

// KeysRequest asks for the keys, or for a new one.
type KeysRequest struct {
	Act Act `json:"act"`
}

// What auth answers to admins.
var (
	ShowUser     = Method[ShowUserRequest, AdminUser]{Service: Auth, Name: "show_user", Callers: []Service{Admin}, Doc: "A user, with their sessions."}
	DisableUser  = Method[AdminUserRequest, AdminUser]{Service: Auth, Name: "disable_user", Callers: []Service{Admin}, Doc: "End all sessions of a user, and open no more."}
	EnableUser   = Method[AdminUserRequest, AdminUser]{Service: Auth, Name: "enable_user", Callers: []Service{Admin}, Doc: "Let a disabled user log in again."}
	EndSessions  = Method[EndSessionsRequest, EndSessionsReply]{Service: Auth, Name: "end_sessions", Callers: []Service{Admin}, Doc: "End a user's sessions, or one."}
	IssueToken   = Method[IssueTokenRequest, Grant]{Service: Auth, Name: "issue_token", Callers: []Service{Admin}, Doc: "Open a session for a user, for tests."}
	ExportUser   = Method[ExportRequest, ExportPage]{Service: Auth, Name: "export_user", Callers: []Service{Admin}, Doc: "What auth keeps about a user."}
	EraseUser    = Method[AdminUserRequest, EraseReply]{Service: Auth, Name: "erase_user", Callers: []Service{Admin}, Doc: "Forget who a user was; their id stays."}
	ListKeys     = Method[KeysRequest, KeysReply]{Service: Auth, Name: "list_keys", Callers: []Service{Admin}, Doc: "The keys of access tokens."}
	RotateKeys   = Method[KeysRequest, KeysReply]{Service: Auth, Name: "rotate_keys", Callers: []Service{Admin}, Doc: "Make a new key of access tokens; nobody is logged out."}
	DiagnoseAuth = Method[Empty, Diagnosis]{Service: Auth, Name: "diagnose", Pinned: true, Callers: []Service{Admin}, Doc: "How a replica finds itself and what it depends on."}
)

// UserDisabled tells those who know a user that they are gone, or, with
// Disabled false, back. Clients read again what they show of them.
var UserDisabled = Push[UserDisabledData]{
	Op: "user.disabled", Scope: ScopeRoom, Publishers: []Service{Social},
	Doc: "A member was disabled or erased, or is back; what is shown of them is to be read again.",
}

// UserDisabledData is the data of [UserDisabled].
type UserDisabledData struct {
	RoomID   string `json:"room_id"`
	UserID   string `json:"user_id"`
	Disabled bool   `json:"disabled"`
}

// What auth reports of admins, and of logins that failed.
var (
	AuthAudit   = EventType[AuditEvent]{Service: Auth, Name: "audit", Doc: "An admin did or saw something; by, reason and action say what."}
	LoginFailed = EventType[SessionEvent]{Service: Auth, Name: "login.failed", Doc: "Someone failed to log in to an account; the reason says how."}
)
