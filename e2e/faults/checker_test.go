package faults

import (
	"fmt"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
)

// sound is evidence of a room of two, one of them with two devices and one a
// member from seq 2 on, in which three messages were sent.
func sound() *Evidence {
	e := &Evidence{Devices: map[string][]string{"ann": {"ann/phone", "ann/desk"}, "bob": {"bob/phone"}}}
	room := Room{ID: "r", Members: map[string]int64{"ann": 1, "bob": 2}}
	for seq := int64(1); seq <= 3; seq++ {
		m := contract.Message{
			ID: fmt.Sprintf("id%d", seq), RoomID: "r", Seq: seq, SenderID: "ann", ClientID: fmt.Sprintf("c%d", seq),
			Type: contract.MessageText, Content: contract.Content{Text: fmt.Sprintf("text %d", seq)},
		}
		room.Stored = append(room.Stored, m)
		e.Sent = append(e.Sent, Sent{
			RoomID: "r", SenderID: "ann", ClientID: m.ClientID, Text: m.Content.Text,
			Reply: &contract.SendReply{RoomID: "r", Seq: seq, ID: m.ID},
		})
	}
	for _, device := range []string{"ann/phone", "ann/desk", "bob/phone"} {
		userID, _, _ := strings.Cut(device, "/")
		got := append([]contract.Message(nil), room.Stored[room.Members[userID]-1:]...)
		e.Received = append(e.Received, Received{device, userID, map[string][]contract.Message{"r": got}})
	}
	e.Rooms = []Room{room}
	return e
}

// swapped exchanges two entries.
func swapped(list []contract.Message, i, j int) {
	list[i], list[j] = list[j], list[i]
}

func TestCheck(t *testing.T) {
	phone := func(e *Evidence) map[string][]contract.Message { return e.Received[0].Rooms }
	cases := map[string]struct {
		spoil func(*Evidence)
		found func(*Findings) *[]string // nil: nothing is
	}{
		"nothing":        {func(*Evidence) {}, nil},
		"never answered": {func(e *Evidence) { e.Sent[2].Reply = nil }, nil},
		"removed": {func(e *Evidence) {
			e.Rooms[0].Stored[1].RemovedAt, e.Rooms[0].Stored[1].Content = &contract.Time{}, contract.Content{}
		}, nil},
		"never answered, not stored": {func(e *Evidence) {
			e.Sent = append(e.Sent, Sent{RoomID: "r", SenderID: "bob", ClientID: "x"})
		}, nil},
		"a loose room's device has less": {func(e *Evidence) {
			e.Rooms[0].Loose = true
			phone(e)["r"] = phone(e)["r"][1:2]
		}, nil},
		"acknowledged, not stored": {func(e *Evidence) {
			e.Sent = append(e.Sent, Sent{RoomID: "r", SenderID: "bob", ClientID: "x", Reply: &contract.SendReply{Seq: 4}})
		}, func(f *Findings) *[]string { return &f.Lost }},
		"acknowledged at another seq": {func(e *Evidence) { e.Sent[0].Reply.Seq = 2 }, func(f *Findings) *[]string { return &f.Lost }},
		"acknowledged as another id":  {func(e *Evidence) { e.Sent[0].Reply.ID = "other" }, func(f *Findings) *[]string { return &f.Lost }},
		"stored twice": {func(e *Evidence) {
			m := e.Rooms[0].Stored[0]
			m.Seq, m.ID = 4, "id4"
			e.Rooms[0].Stored = append(e.Rooms[0].Stored, m)
			for i := range e.Received {
				e.Received[i].Rooms["r"] = append(e.Received[i].Rooms["r"], m)
			}
		}, func(f *Findings) *[]string { return &f.Doubled }},
		"received twice":           {func(e *Evidence) { phone(e)["r"] = append(phone(e)["r"], phone(e)["r"][2]) }, func(f *Findings) *[]string { return &f.Doubled }},
		"received twice, loose":    {func(e *Evidence) { e.Rooms[0].Loose = true; phone(e)["r"] = append(phone(e)["r"], phone(e)["r"][2]) }, func(f *Findings) *[]string { return &f.Doubled }},
		"a hole in the log":        {func(e *Evidence) { e.Rooms[0].Stored[2].Seq = 4 }, func(f *Findings) *[]string { return &f.Holes }},
		"received out of order":    {func(e *Evidence) { swapped(phone(e)["r"], 0, 1) }, func(f *Findings) *[]string { return &f.Reordered }},
		"the first not received":   {func(e *Evidence) { phone(e)["r"] = phone(e)["r"][1:] }, func(f *Findings) *[]string { return &f.Missing }},
		"a middle one missing":     {func(e *Evidence) { phone(e)["r"] = append(phone(e)["r"][:1:1], phone(e)["r"][2]) }, func(f *Findings) *[]string { return &f.Missing }},
		"the last not received":    {func(e *Evidence) { phone(e)["r"] = phone(e)["r"][:2] }, func(f *Findings) *[]string { return &f.Missing }},
		"a device heard nothing":   {func(e *Evidence) { e.Received = e.Received[:2] }, func(f *Findings) *[]string { return &f.Missing }},
		"received as another":      {func(e *Evidence) { phone(e)["r"][1].ID = "other" }, func(f *Findings) *[]string { return &f.Wrong }},
		"received beyond the log":  {func(e *Evidence) { e.Rooms[0].Stored = e.Rooms[0].Stored[:2]; e.Sent = e.Sent[:2] }, func(f *Findings) *[]string { return &f.Wrong }},
		"received before joining":  {func(e *Evidence) { e.Rooms[0].Members["bob"] = 3 }, func(f *Findings) *[]string { return &f.Wrong }},
		"received of no room":      {func(e *Evidence) { phone(e)["other"] = phone(e)["r"] }, func(f *Findings) *[]string { return &f.Wrong }},
		"stored, but sent by none": {func(e *Evidence) { e.Sent = e.Sent[1:] }, func(f *Findings) *[]string { return &f.Wrong }},
		"stored with another text": {func(e *Evidence) { e.Rooms[0].Stored[0].Content.Text = "other" }, func(f *Findings) *[]string { return &f.Wrong }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			e := sound()
			c.spoil(e)
			f := Check(*e)
			if (c.found == nil) != f.None() {
				t.Fatalf("found %+v", f)
			}
			if c.found != nil {
				if list := c.found(f); len(*list) == 0 {
					t.Fatalf("found %+v", f)
				}
			}
		})
	}
}
