// Package bus connects a part of Parley to NATS, makes the stream IM_EVENTS,
// and relays the events of a store's outbox into it.
//
// The truth about an event is its row in the store, written with the change
// that it reports. What lies in IM_EVENTS is a relayed copy: it arrives at
// least once, in order per key, under a Nats-Msg-Id that never changes, and
// the server drops what it has seen within two minutes. Nothing that must
// survive may live in JetStream alone: unless a server is told to sync
// always, it acknowledges before the disk has it.
package bus
