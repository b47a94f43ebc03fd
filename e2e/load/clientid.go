package main

import (
	"encoding/binary"
	"encoding/hex"
	"time"
)

// A client_id here says who sent the message and when it was due, so that
// whoever gets it knows its age without looking anything up: the 24 bytes of
// four numbers as hexadecimal. Later ones sort later, as those do that the Go
// client makes.
type clientID [48]byte

// newClientID names the n-th message of a sender; due counts from the start
// of the run's clock, and run tells one run from another.
func newClientID(run uint32, sender int, n uint64, due time.Duration) (id clientID) {
	var b [24]byte
	binary.BigEndian.PutUint32(b[:], run)
	binary.BigEndian.PutUint64(b[4:], uint64(due))
	binary.BigEndian.PutUint32(b[12:], uint32(sender))
	binary.BigEndian.PutUint64(b[16:], n)
	hex.Encode(id[:], b[:])
	return id
}

// dueOf reads when the message was due; false when the client_id is not of
// this run.
func dueOf(run uint32, id []byte) (time.Duration, bool) {
	var b [24]byte
	if len(id) != len(clientID{}) {
		return 0, false
	}
	if _, err := hex.Decode(b[:], id); err != nil || binary.BigEndian.Uint32(b[:]) != run {
		return 0, false
	}
	return time.Duration(binary.BigEndian.Uint64(b[4:])), true
}
