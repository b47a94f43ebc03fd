package contract

// AdminMessageRequest asks for something about one message.
type AdminMessageRequest struct {
	Act    Act    `json:"act"`
	RoomID string `json:"room_id"`
	Seq    int64  `json:"seq"`
}

// What chat answers to admins.
var (
	ForceRemove  = Method[AdminMessageRequest, MessageRemovedData]{Service: Chat, Name: "force_remove", Callers: []Service{Admin}, Doc: "Replace a message by a tombstone, whoever sent it and when."}
	ExportChat   = Method[ExportRequest, ExportPage]{Service: Chat, Name: "export_user", Callers: []Service{Admin}, Doc: "What a user wrote, and how far they have read."}
	EraseChat    = Method[AdminUserRequest, EraseReply]{Service: Chat, Name: "erase_user", Callers: []Service{Admin}, Doc: "Replace all that a user wrote by tombstones, and forget how far they have read."}
	DiagnoseChat = Method[Empty, Diagnosis]{Service: Chat, Name: "diagnose", Pinned: true, Callers: []Service{Admin}, Doc: "How a replica finds itself and what it depends on."}
)

// ChatAudit is what chat reports of admins.
var ChatAudit = EventType[AuditEvent]{Service: Chat, Name: "audit", Doc: "An admin did or saw something; by, reason and action say what."}
