package chat_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/contract/contracttest"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/services/chat"
)

// TestReplies_fit has the largest of all that chat sends and is sent, with the
// longest ids and texts, written as JSON at their longest. Messages end a page
// by their bytes, of which the last may be over; how that is counted,
// TestRun_replies_fit shows.
func TestReplies_fit(t *testing.T) {
	now, seq := contract.NewTime(time.Now()), int64(math.MaxInt64)
	id, text := strings.Repeat("x", 64), strings.Repeat("\u0001", contract.MaxTextLength)
	reason := strings.Repeat("\u2028", contract.MaxReason)
	caller := contract.Caller{UserID: id, SessionID: id}
	message := contract.Message{
		ID: id, RoomID: id, Seq: seq, ClientID: id, SenderID: id, Type: contract.MessageText, Content: contract.Content{Text: text}, SentAt: now,
	}
	pageful := contract.MaxPageBytes/chat.Record{Message: message}.Size() + 1
	state := contract.RoomState{RoomID: id, FirstSeq: seq, LastSeq: seq, ReadSeq: seq, Unread: seq, ActiveAt: now}
	states := slices.Repeat([]contract.RoomState{state}, contract.MaxPage)
	for i := range pageful {
		states[i].LastMessage = &message
	}
	export := contract.ExportPage{NextCursor: id + "." + id}
	for i := range contract.MaxPage {
		var item any = contract.RoomReadData{RoomID: id, UserID: id, Seq: seq}
		if i < pageful {
			item = message
		}
		if err := export.Add("read_position", item); err != nil {
			t.Fatal(err)
		}
	}
	send := contract.SendRequest{Caller: caller, RoomID: id, ClientID: id, Type: contract.MessageText, Content: message.Content}
	sent := contract.SendReply{RoomID: id, Seq: seq, ID: id, SentAt: now}
	head := contract.RoomHeadRev{RoomHead: contract.RoomHead{ID: id, FirstSeq: seq, LastSeq: seq, ReadSeq: seq}, Rev: seq}
	audit := contract.AuditEvent{By: id, Reason: reason, Action: id, UserID: id, RoomID: id, Seq: seq}

	contracttest.Fits(t, contract.Chat, contracttest.Largest{
		Requests: map[string]any{
			contract.SendMessage.Name: send, // a group of them ends at rpc's groupBytes
			contract.GetMessages.Name: nil, contract.RemoveMessage.Name: nil, contract.SetRead.Name: nil, contract.ListRooms.Name: nil,
			contract.GetRoomStates.Name: contract.GetRoomStatesRequest{Caller: caller, RoomIDs: slices.Repeat([]string{id}, contract.MaxPage)},
			contract.ListHeads.Name:     slices.Repeat([]contract.ListHeadsRequest{{Caller: caller, Cursor: id}}, contract.ListHeads.Grouped),
			contract.GetHead.Name:       nil, contract.ForceRemove.Name: nil, contract.ExportChat.Name: nil, contract.EraseChat.Name: nil,
			contract.DiagnoseChat.Name: nil,
		},
		Replies: map[string]any{
			contract.SendMessage.Name:   slices.Repeat([]contract.SendReply{sent}, contract.SendMessage.Grouped),
			contract.GetMessages.Name:   contract.HistoryReply{Items: slices.Repeat([]contract.Message{message}, pageful), LastSeq: seq},
			contract.RemoveMessage.Name: nil, contract.SetRead.Name: nil,
			contract.ListRooms.Name:     contract.RoomStatePage{Items: states, NextCursor: id + id},
			contract.GetRoomStates.Name: contract.GetRoomStatesReply{Items: states},
			contract.ListHeads.Name:     contract.ListHeadsReply{Rooms: slices.Repeat([]contract.RoomHeadRev{head}, contract.MaxRoomPage), NextCursor: id},
			contract.GetHead.Name:       nil, contract.ForceRemove.Name: nil, contract.ExportChat.Name: export, contract.EraseChat.Name: nil,
			contract.DiagnoseChat.Name: nil, // of one replica: it lists no records
		},
		Pushes: map[string]any{
			string(contract.MessagePushed.Op): message, string(contract.MessageRemovedPushed.Op): nil,
			string(contract.RoomHeadPushed.Op): nil, string(contract.RoomReadPushed.Op): nil, // OwnReadPushed, too
			string(contract.RoomReadsPushed.Op): contract.RoomReadsData{
				RoomID: id, Reads: slices.Repeat([]contract.MemberRead{{UserID: id, Seq: seq}}, contract.MaxReads),
			},
		},
		Events: map[string]any{
			contract.MessageTombstoned.Name: nil, contract.MessagesExpired.Name: nil, contract.ChatAudit.Name: audit,
		},
	})
}

// TestRun_lists_heads_page_by_page: of users with more rooms than a reply holds,
// who ask at once, each page fits, beside the others' or alone, and no room is
// lost.
func TestRun_lists_heads_page_by_page(t *testing.T) {
	const rooms, users = 2*contract.MaxRoomPage + 1, 5
	w := newWorld(t)
	w.start(newFile(t), func(c *chat.Config) { c.StoreTimeout = time.Minute })
	for i := range rooms {
		room := fmt.Sprintf("%s-%05d", strings.Repeat("x", 58), i)
		for user := range users {
			w.social.set(contract.Membership{RoomID: room, Type: contract.RoomGroup, Role: contract.RoleMember, FirstSeq: 1 << 40}, fmt.Sprint("user-", user))
		}
	}
	var reading sync.WaitGroup
	for user := range users {
		reading.Go(func() {
			seen, pages := headsOf(w, fmt.Sprint("user-", user))
			if len(seen) != rooms || pages != 3 {
				t.Errorf("%d of %d rooms on %d pages", len(seen), rooms, pages)
			}
		})
	}
	reading.Wait()
	if page := ask(w, contract.ListRooms, contract.ListRoomsRequest{Caller: caller("user-0"), Limit: 1}); len(page.Items) != 1 || page.NextCursor == "" {
		t.Errorf("the list of rooms begins with %+v", page)
	}
	refused(w, fault.InvalidArgument, contract.ListHeads, contract.ListHeadsRequest{Caller: caller("user-0"), Cursor: "a.b"})
}

// headsOf reads all pages of a user's rooms, until a call fails.
func headsOf(w *world, user string) (seen map[string]bool, pages int) {
	seen = map[string]bool{}
	req := contract.ListHeadsRequest{Caller: caller(user)}
	for {
		page, err := rpc.Call(within(w.t), w.gateway, contract.ListHeads, req)
		if err != nil {
			w.t.Errorf("page %d of %s: %v", pages+1, user, err)
			return seen, pages
		}
		pages++
		for _, room := range page.Rooms {
			if seen[room.ID] || room.Rev == 0 || room.FirstSeq != 1<<40 {
				w.t.Errorf("page %d of %s: %+v, seen before: %v", pages, user, room, seen[room.ID])
			}
			seen[room.ID] = true
		}
		if req.Cursor = page.NextCursor; req.Cursor == "" {
			return seen, pages
		}
	}
}
