package contract

import (
	"encoding/json"
	"fmt"
)

// Op is what a WebSocket frame asks or tells. A push's op is also the tail of
// its NATS subject.
type Op string

// What a client may ask.
const (
	OpAuth          Op = "auth"
	OpMessageSend   Op = "message.send"
	OpMessagesGet   Op = "messages.get"
	OpMessageRemove Op = "message.remove"
	OpReadSet       Op = "read.set"
	OpPing          Op = "ping"
)

// What a gateway answers.
const (
	OpOK    Op = "ok"
	OpError Op = "error"
)

// What a gateway tells unasked.
const (
	OpReady          Op = "ready"
	OpServerDraining Op = "server.draining"
)

// Frame is what a client sends: {"id":"7","op":"message.send","data":{…}}.
type Frame struct {
	ID   string          `json:"id"` // the client's own, echoed in the reply
	Op   Op              `json:"op"`
	Data json.RawMessage `json:"data"`
}

// Reply answers a frame.
type Reply[T any] struct {
	ID    string `json:"id"`
	Op    Op     `json:"op"` // ok or error
	Data  T      `json:"data,omitempty"`
	Error any    `json:"error,omitempty"` // a fault
}

// PushFrame is what a gateway sends unasked.
type PushFrame[T any] struct {
	Op   Op `json:"op"`
	Data T  `json:"data"`
}

// Scope says on whose subject a push travels.
type Scope string

// The scopes of pushes.
const (
	ScopeRoom Scope = "room" // im.room.<room_id>.<op>
	ScopeUser Scope = "user" // im.user.<user_id>.<op>
	ScopeConn Scope = "conn" // from a gateway to one connection, not over NATS
)

// Push is one kind of live push, typed by its data. Its payload on NATS is
// byte for byte the frame that clients get.
type Push[T any] struct {
	Op         Op
	Scope      Scope
	Publishers []Service
	Doc        string
}

// Encode builds the frame.
func (p Push[T]) Encode(data T) ([]byte, error) {
	frame, err := json.Marshal(PushFrame[T]{Op: p.Op, Data: data})
	if err != nil {
		return nil, fmt.Errorf("encode push %s: %w", p.Op, err)
	}
	return frame, nil
}

// Decode reads the data of a frame that Encode built.
func (p Push[T]) Decode(frame []byte) (T, error) {
	var f PushFrame[T]
	if err := json.Unmarshal(frame, &f); err != nil {
		return f.Data, fmt.Errorf("decode push %s: %w", p.Op, err)
	}
	return f.Data, nil
}

// Subject is where the push for the room or user with this id is published.
func (p Push[T]) Subject(id string) (string, error) {
	if p.Scope == ScopeUser {
		return UserSubject(id, p.Op)
	}
	return RoomSubject(id, p.Op)
}

// Info describes the push without its type.
func (p Push[T]) Info() PushInfo {
	return PushInfo{Op: p.Op, Scope: p.Scope, Publishers: p.Publishers, Data: typeName[T](), Doc: p.Doc}
}

// PushInfo is a row of [Pushes].
type PushInfo struct {
	Op         Op
	Scope      Scope
	Publishers []Service
	Data       string // name of the Go type
	Doc        string
}
