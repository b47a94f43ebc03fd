package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/social"
)

// BenchmarkRoomList is GET /api/v1/rooms of someone with 1,000 groups of ten,
// each with 20 messages: page by page, over real processes, NATS and SQLite.
// The median of each page is told, since others may use the machine.
func BenchmarkRoomList(b *testing.B) {
	const rooms, limit = 1_000, 50
	s := system.Start(b, system.Options{Replicas: 1, Gateways: 1, Env: []string{"GATEWAY_CALLS_PER_SECOND=100000", "GATEWAY_CALL_BURST=100000"}})
	ann := person.New(b, api(), s.URLs[0], "ann", s.Code)
	fillRooms(b, s, ann.ID, rooms)

	var first, others []float64 // milliseconds
	pages := 0
	for b.Loop() {
		for cursor, n := "", 0; n == 0 || cursor != ""; n++ {
			page, took := listRooms(b, ann, limit, cursor)
			if n == 0 {
				first = append(first, took)
			} else {
				others = append(others, took)
			}
			if len(page.Items) != limit || page.Items[0].LastSeq != 20 || page.Items[0].LastMessage == nil {
				b.Fatalf("page %d has %d rooms", n, len(page.Items))
			}
			cursor = page.NextCursor
			pages++
		}
	}
	if pages != b.N*rooms/limit {
		b.Fatalf("%d pages in %d lists", pages, b.N)
	}
	b.ReportMetric(median(first), "ms/first-page")
	b.ReportMetric(median(others), "ms/page")
}

// listRooms gets one page, and tells how many milliseconds it took.
func listRooms(b *testing.B, p *person.Person, limit int, cursor string) (list page[contract.Room], took float64) {
	b.Helper()
	path := fmt.Sprintf("%s/api/v1/rooms?limit=%d&cursor=%s", p.Gateway, limit, url.QueryEscape(cursor))
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, path, nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+p.Access)
	began := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	took = float64(time.Since(began).Microseconds()) / 1000
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatal(response.Status, err)
	}
	if err := json.Unmarshal(body, &list); err != nil {
		b.Fatal(err)
	}
	return list, took
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// fillRooms puts rooms and messages straight into the stores.
func fillRooms(b *testing.B, s *system.System, userID string, rooms int) {
	b.Helper()
	ctx := context.Background()
	groups, err := social.OpenStore(ctx, s.Stores[contract.Social])
	if err != nil {
		b.Fatal(err)
	}
	defer groups.Close()
	messages, err := chat.OpenStore(ctx, s.Stores[contract.Chat])
	if err != nil {
		b.Fatal(err)
	}
	defer messages.Close()
	now := contract.NewTime(time.Now())
	for i := range rooms {
		r := social.Room{
			ID: id.New(), Name: fmt.Sprint("room ", i), History: contract.HistoryJoined, CreatedBy: userID, CreatedAt: now, Rev: 1,
			Members: []social.Member{{UserID: userID, Role: contract.RoleOwner, FirstSeq: 1, JoinedAt: now}},
		}
		for range 9 {
			r.Members = append(r.Members, social.Member{UserID: id.New(), Role: contract.RoleMember, FirstSeq: 1, JoinedAt: now})
		}
		if err := groups.SaveRoom(ctx, r, nil); err != nil {
			b.Fatal(err)
		}
		var log []chat.Record
		for seq := range int64(20) {
			log = append(log, chat.Record{Message: contract.Message{
				ID: id.New(), RoomID: r.ID, Seq: seq + 1, ClientID: id.New(), SenderID: r.Members[seq%10].UserID, Type: contract.MessageText,
				Content: contract.Content{Text: "a message of the usual length, about as much as fits into a line or two of it"},
				SentAt:  contract.NewTime(now.Add(time.Duration(i) * time.Millisecond)),
			}})
		}
		if _, err := messages.Append(ctx, log); err != nil {
			b.Fatal(err)
		}
	}
}
