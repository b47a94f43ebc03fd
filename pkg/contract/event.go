package contract

import (
	"encoding/json"
	"fmt"
	"time"
)

// StreamName is the JetStream stream that keeps every durable event.
const StreamName = "IM_EVENTS"

// EventBatchBytes bounds the payloads that an outbox returns at once, beside the
// event that reaches it: after a long outage of NATS many large events wait.
const EventBatchBytes = 4 << 20

// Event is one durable event as it lies in a store's outbox and, once
// relayed, in IM_EVENTS. It is written together with the change that it
// reports, and relayed at least once.
type Event struct {
	ID      string // unique and stable; sent as Nats-Msg-Id
	Key     string // the room's or user's id: events of one key stay in order
	Subject string // im.evt.<service>.<name>
	Payload []byte // an EventBody as JSON
}

// At is when what the event reports happened, as its payload says.
func (e Event) At() (Time, error) {
	var body struct {
		At Time `json:"at"`
	}
	if err := json.Unmarshal(e.Payload, &body); err != nil {
		return Time{}, fmt.Errorf("decode event %s: %w", e.Subject, err)
	}
	return body.At, nil
}

// EventBody is the payload of every message in IM_EVENTS. It carries ids,
// never texts, names or addresses.
type EventBody[T any] struct {
	ID   string `json:"id"`
	Type string `json:"type"` // <service>.<name>
	At   Time   `json:"at"`
	Data T      `json:"data"`
}

// EventType is one kind of durable event, typed by its data.
type EventType[T any] struct {
	Service Service
	Name    string
	Doc     string
}

// Subject is where the event is published.
func (t EventType[T]) Subject() string {
	return evtRoot + string(t.Service) + "." + t.Name
}

// New builds an event. The id must be fresh, and key is the id of the room or
// user within which order matters.
func (t EventType[T]) New(id, key string, at time.Time, data T) (Event, error) {
	payload, err := json.Marshal(EventBody[T]{
		ID:   id,
		Type: string(t.Service) + "." + t.Name,
		At:   NewTime(at),
		Data: data,
	})
	if err != nil {
		return Event{}, fmt.Errorf("encode event %s: %w", t.Subject(), err)
	}
	return Event{ID: id, Key: key, Subject: t.Subject(), Payload: payload}, nil
}

// Decode reads the payload of an event of this type.
func (t EventType[T]) Decode(payload []byte) (EventBody[T], error) {
	var body EventBody[T]
	if err := json.Unmarshal(payload, &body); err != nil {
		return body, fmt.Errorf("decode event %s: %w", t.Subject(), err)
	}
	return body, nil
}

// Info describes the event without its type.
func (t EventType[T]) Info() EventInfo {
	return EventInfo{Service: t.Service, Name: t.Name, Subject: t.Subject(), Data: typeName[T](), Doc: t.Doc}
}

// EventInfo is a row of [Events].
type EventInfo struct {
	Service Service
	Name    string
	Subject string
	Data    string // name of the Go type
	Doc     string
}
