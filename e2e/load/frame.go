package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
)

// frame is what a device needs to know of a frame from a gateway. Its slices
// point into the read buffer: they are good until the next read.
type frame struct {
	op       contract.Op
	id       []byte // of a reply
	roomID   []byte
	seq      int64 // of a message, and of the answer to a send
	clientID []byte
	raw      []byte // all of it, for the few that are decoded
}

// How pkg/contract encodes the two frames that come by the thousand. What
// stands in another order is decoded as any JSON: slower, and right.
var (
	messagePrefix = []byte(`{"op":"message","data":{"id":"`)
	replyPrefix   = []byte(`{"id":"`)
	roomField     = []byte(`,"room_id":"`)
	seqField      = []byte(`,"seq":`)
	clientField   = []byte(`,"client_id":"`)
	okField       = []byte(`,"op":"ok","data":{"room_id":"`)
)

// readFrame finds out what a frame is. Ids hold no escapes, and texts, which
// may hold anything, stand behind all that is looked for.
func readFrame(raw []byte) (frame, error) {
	if f, ok := scanMessage(raw); ok {
		return f, nil
	}
	if f, ok := scanSent(raw); ok {
		return f, nil
	}
	return decodeFrame(raw)
}

// scanMessage reads {"op":"message","data":{"id":"…","room_id":"…","seq":7,"client_id":"…",….
func scanMessage(raw []byte) (frame, bool) {
	s := scanner{rest: raw, ok: true}
	s.skip(messagePrefix)
	s.value()
	s.skip(roomField)
	f := frame{op: contract.MessagePushed.Op, raw: raw, roomID: s.value()}
	s.skip(seqField)
	f.seq = s.number()
	s.skip(clientField)
	f.clientID = s.value()
	return f, s.ok
}

// scanSent reads {"id":"…","op":"ok","data":{"room_id":"…","seq":7,….
func scanSent(raw []byte) (frame, bool) {
	s := scanner{rest: raw, ok: true}
	s.skip(replyPrefix)
	f := frame{op: contract.OpOK, raw: raw, id: s.value()}
	s.skip(okField)
	f.roomID = s.value()
	s.skip(seqField)
	f.seq = s.number()
	return f, s.ok
}

// decodeFrame reads any frame.
func decodeFrame(raw []byte) (frame, error) {
	var f struct {
		ID   string      `json:"id"`
		Op   contract.Op `json:"op"`
		Data struct {
			RoomID   string `json:"room_id"`
			Seq      int64  `json:"seq"`
			ClientID string `json:"client_id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return frame{}, fmt.Errorf("read frame: %w", err)
	}
	return frame{
		op: f.Op, id: []byte(f.ID), raw: raw,
		roomID: []byte(f.Data.RoomID), seq: f.Data.Seq, clientID: []byte(f.Data.ClientID),
	}, nil
}

// scanner walks over bytes; once something is not there, ok stays false.
type scanner struct {
	rest []byte
	ok   bool
}

// skip passes exactly these bytes.
func (s *scanner) skip(what []byte) {
	if s.ok = s.ok && bytes.HasPrefix(s.rest, what); s.ok {
		s.rest = s.rest[len(what):]
	}
}

// value is what stands before the next quote, which it passes too.
func (s *scanner) value() []byte {
	end := bytes.IndexByte(s.rest, '"')
	if s.ok = s.ok && end >= 0; !s.ok {
		return nil
	}
	v := s.rest[:end]
	s.rest = s.rest[end+1:]
	if bytes.IndexByte(v, '\\') >= 0 {
		s.ok = false // no id: JSON decides
	}
	return v
}

// number passes the digits of a seq.
func (s *scanner) number() (n int64) {
	digits := 0
	for digits < len(s.rest) && s.rest[digits] >= '0' && s.rest[digits] <= '9' {
		n = n*10 + int64(s.rest[digits]-'0')
		digits++
	}
	s.ok = s.ok && digits > 0 && digits <= 18
	if s.ok {
		s.rest = s.rest[digits:]
	}
	return n
}
