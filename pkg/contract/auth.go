package contract

// User is a user as they see themselves.
type User struct {
	ID        string `json:"id"`
	Account   string `json:"account"`
	Email     string `json:"email"`
	Nickname  string `json:"nickname"`
	Sex       Sex    `json:"sex"`
	AvatarURL string `json:"avatar_url"`
	CreatedAt Time   `json:"created_at"`
}

// Profile is a user as others see them: no e-mail.
type Profile struct {
	ID        string `json:"id"`
	Account   string `json:"account"`
	Nickname  string `json:"nickname"`
	Sex       Sex    `json:"sex"`
	AvatarURL string `json:"avatar_url"`
}

// Sex is 0 for not said, 1 for male, 2 for female.
type Sex int

// Purpose says what a verification code is for; a code serves no other.
type Purpose string

// The purposes of a verification code.
const (
	PurposeRegister      Purpose = "register"
	PurposeResetPassword Purpose = "reset_password"
)

// SendCodeRequest asks for a verification code by e-mail.
type SendCodeRequest struct {
	Email   string  `json:"email"`
	Purpose Purpose `json:"purpose"`
	// Language is "en" or "zh", of the mail; empty is "en".
	Language string `json:"language,omitempty"`
	// Address is the client's network address, for the limit per address;
	// empty when it does not count (loopback).
	Address string `json:"address,omitempty"`
}

// RegisterRequest makes an account. The code proves the e-mail.
type RegisterRequest struct {
	Email      string `json:"email"`
	Code       string `json:"code"`
	Account    string `json:"account"`
	Password   string `json:"password"`
	Nickname   string `json:"nickname,omitempty"` // empty: the account
	DeviceName string `json:"device_name,omitempty"`
	Address    string `json:"address,omitempty"` // as in SendCodeRequest
}

// LoginRequest opens a session. Account may be the account or the e-mail.
type LoginRequest struct {
	Account    string `json:"account"`
	Password   string `json:"password"`
	DeviceName string `json:"device_name,omitempty"`
	Address    string `json:"address,omitempty"` // as in SendCodeRequest
}

// RefreshRequest spends a refresh token.
//
// AskedAt is when a gateway took the request in. One that was overtaken, by the
// same caller who tried again meanwhile, changes nothing any more. The zero
// time: nobody knows.
type RefreshRequest struct {
	RefreshToken string `json:"refresh_token"`
	AskedAt      Time   `json:"asked_at"`
}

// Grant is what a login, a registration or a refresh gives.
type Grant struct {
	User         User   `json:"user"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int    `json:"expires_in"` // seconds until the access token ends
}

// LogoutRequest ends the caller's session.
type LogoutRequest struct {
	Caller Caller `json:"caller"`
}

// ResetPasswordRequest sets a new password; the code proves the e-mail. All
// sessions of the user end.
type ResetPasswordRequest struct {
	Email    string `json:"email"`
	Code     string `json:"code"`
	Password string `json:"password"`
	Address  string `json:"address,omitempty"` // as in SendCodeRequest
}

// ChangePasswordRequest sets a new password. The caller's other sessions end.
type ChangePasswordRequest struct {
	Caller      Caller `json:"caller"`
	OldPassword string `json:"old_password"`
	NewPassword string `json:"new_password"`
}

// Session is one device of a user.
type Session struct {
	ID         string `json:"id"`
	DeviceName string `json:"device_name"`
	CreatedAt  Time   `json:"created_at"`
	LastUsedAt Time   `json:"last_used_at"`
	Current    bool   `json:"current"` // the one that asks
}

// ListSessionsRequest lists the caller's devices, the last used first.
type ListSessionsRequest struct {
	Caller Caller `json:"caller"`
	Limit  int    `json:"limit"`
	Cursor string `json:"cursor,omitempty"`
}

// SessionPage is a page of devices.
type SessionPage struct {
	Items      []Session `json:"items"`
	NextCursor string    `json:"next_cursor"` // empty on the last page
}

// RevokeSessionRequest ends one of the caller's sessions.
type RevokeSessionRequest struct {
	Caller    Caller `json:"caller"`
	SessionID string `json:"session_id"`
}

// GetMeRequest asks for the caller's own user.
type GetMeRequest struct {
	Caller Caller `json:"caller"`
}

// UpdateMeRequest changes the fields that are not nil.
type UpdateMeRequest struct {
	Caller    Caller  `json:"caller"`
	Nickname  *string `json:"nickname,omitempty"`
	Sex       *Sex    `json:"sex,omitempty"`
	AvatarURL *string `json:"avatar_url,omitempty"`
}

// FindUserRequest looks a user up by account, in any case.
type FindUserRequest struct {
	Account string `json:"account"`
}

// GetUsersRequest asks for several users at once, at most 200.
type GetUsersRequest struct {
	UserIDs []string `json:"user_ids"`
}

// GetUsersReply holds the users that exist, in the order asked.
type GetUsersReply struct {
	Users []Profile `json:"users"`
}

// JWK is one public signing key (RFC 8037: OKP, Ed25519).
type JWK struct {
	Kty string `json:"kty"`
	Crv string `json:"crv"`
	X   string `json:"x"` // base64url, 32 bytes
	Kid string `json:"kid"`
	Use string `json:"use"`
	Alg string `json:"alg"`
}

// JWKS is the set of keys that may have signed a living token (RFC 7517).
type JWKS struct {
	Keys []JWK `json:"keys"`
}

// GetKeysReply is the set of keys, and the time by which tokens are signed.
type GetKeysReply struct {
	JWKS
	Now Time `json:"now"`
	// Trusted reports whether the store agrees with Now, or the machine's clock
	// has not jumped where the store has no clock.
	Trusted bool `json:"trusted"`
}

// RevokedSession is a session that has ended while an access token of it may
// still live.
type RevokedSession struct {
	SessionID string `json:"session_id"`
	Until     Time   `json:"until"` // when the last of its tokens has run out
}

// RevokedRequest asks for a page of the ended sessions.
type RevokedRequest struct {
	// Cursor is that of the reply before; empty: all that still matters.
	Cursor string `json:"cursor,omitempty"`
}

// RevokedReply is a page of RevokedSession; the same session may come again.
type RevokedReply struct {
	Sessions []RevokedSession `json:"sessions"`
	// Cursor is for the next request: the next page at once if there is More,
	// otherwise, a while later, the sessions that have ended since.
	Cursor string `json:"cursor"`
	More   bool   `json:"more"`
}

// What auth answers.
var (
	SendCode       = Method[SendCodeRequest, Empty]{Service: Auth, Name: "send_code", Callers: []Service{Gateway}, Doc: "Mail a verification code, whether or not the e-mail is known."}
	Register       = Method[RegisterRequest, Grant]{Service: Auth, Name: "register", Callers: []Service{Gateway}, Doc: "Make an account and open its first session."}
	Login          = Method[LoginRequest, Grant]{Service: Auth, Name: "login", Callers: []Service{Gateway}, Doc: "Open a session with a password."}
	Refresh        = Method[RefreshRequest, Grant]{Service: Auth, Name: "refresh", Callers: []Service{Gateway}, Doc: "Rotate a refresh token."}
	Logout         = Method[LogoutRequest, Empty]{Service: Auth, Name: "logout", Callers: []Service{Gateway}, Doc: "End the caller's session."}
	ResetPassword  = Method[ResetPasswordRequest, Empty]{Service: Auth, Name: "reset_password", Callers: []Service{Gateway}, Doc: "Set a new password with a mailed code."}
	ChangePassword = Method[ChangePasswordRequest, Empty]{Service: Auth, Name: "change_password", Callers: []Service{Gateway}, Doc: "Set a new password with the old one."}
	ListSessions   = Method[ListSessionsRequest, SessionPage]{Service: Auth, Name: "list_sessions", Repeatable: true, Callers: []Service{Gateway}, Doc: "List the caller's devices."}
	RevokeSession  = Method[RevokeSessionRequest, Empty]{Service: Auth, Name: "revoke_session", Callers: []Service{Gateway}, Doc: "End one of the caller's sessions."}
	GetMe          = Method[GetMeRequest, User]{Service: Auth, Name: "get_me", Repeatable: true, Callers: []Service{Gateway}, Doc: "The caller's own user."}
	UpdateMe       = Method[UpdateMeRequest, User]{Service: Auth, Name: "update_me", Callers: []Service{Gateway}, Doc: "Change the caller's profile."}
	FindUser       = Method[FindUserRequest, Profile]{Service: Auth, Name: "find_user", Repeatable: true, Leaf: true, Callers: []Service{Gateway, Social}, Doc: "Look a user up by account."}
	GetUsers       = Method[GetUsersRequest, GetUsersReply]{Service: Auth, Name: "get_users", Repeatable: true, Leaf: true, Callers: []Service{Gateway, Social}, Doc: "Several users by id."}
	GetKeys        = Method[Empty, GetKeysReply]{Service: Auth, Name: "get_keys", Repeatable: true, Callers: []Service{Gateway}, Doc: "The public keys of access tokens, and the time by which they are signed."}
	ListRevoked    = Method[RevokedRequest, RevokedReply]{Service: Auth, Name: "list_revoked", Repeatable: true, Callers: []Service{Gateway}, Doc: "Ended sessions whose access tokens still live."}
)

// SessionRevokedData says that a session has ended.
type SessionRevokedData struct {
	SessionID string `json:"session_id"`
	Reason    string `json:"reason"` // logout, revoked, password, reset, reuse, disabled
	Until     Time   `json:"until"`  // when the last of its tokens has run out
}

// SessionRevoked closes the session's sockets on every gateway.
var SessionRevoked = Push[SessionRevokedData]{
	Op: "session.revoked", Scope: ScopeUser, Publishers: []Service{Auth},
	Doc: "A session has ended; every gateway closes its sockets.",
}

// UserEvent is the data of an event about a user.
type UserEvent struct {
	UserID string `json:"user_id"`
}

// SessionEvent is the data of an event about a session.
type SessionEvent struct {
	UserID    string `json:"user_id"`
	SessionID string `json:"session_id"`
	Reason    string `json:"reason,omitempty"` // why it ended
}

// What auth reports.
var (
	UserRegistered  = EventType[UserEvent]{Service: Auth, Name: "user.registered", Doc: "An account was made."}
	UserUpdated     = EventType[UserEvent]{Service: Auth, Name: "user.updated", Doc: "A profile changed."}
	PasswordChanged = EventType[UserEvent]{Service: Auth, Name: "password.changed", Doc: "A password was changed or reset."}
	SessionCreated  = EventType[SessionEvent]{Service: Auth, Name: "session.created", Doc: "A session was opened."}
	SessionEnded    = EventType[SessionEvent]{Service: Auth, Name: "session.ended", Doc: "A session has ended."}
)
