package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

func testHistory(store Store, memory *Memory) *History {
	return &History{store: store, memory: memory, metrics: newHistoryMetrics(prometheus.NewRegistry(), memory)}
}

func TestHistory_Read(t *testing.T) {
	store := newStore(t)
	fill(t, store, "room", 20)
	all := stored(t, store, "room")
	seq := func(n int64) *int64 { return &n }
	for name, c := range map[string]struct {
		req   contract.HistoryRequest
		first int64
		want  string // seqs, and + when there are more
	}{
		"the newest":                   {contract.HistoryRequest{Limit: 3}, 1, "20 19 18 +"},
		"the newest by default":        {contract.HistoryRequest{}, 18, "20 19 18"},
		"before":                       {contract.HistoryRequest{BeforeSeq: seq(5), Limit: 2}, 1, "4 3 +"},
		"before, to the first":         {contract.HistoryRequest{BeforeSeq: seq(5), Limit: 4}, 1, "4 3 2 1"},
		"before the first":             {contract.HistoryRequest{BeforeSeq: seq(1)}, 1, ""},
		"before what is not there yet": {contract.HistoryRequest{BeforeSeq: seq(1000), Limit: 1}, 1, "20 +"},
		"after":                        {contract.HistoryRequest{AfterSeq: seq(3), Limit: 2}, 1, "4 5 +"},
		"after zero":                   {contract.HistoryRequest{AfterSeq: seq(0), Limit: 2}, 1, "1 2 +"},
		"after, to the head":           {contract.HistoryRequest{AfterSeq: seq(17), Limit: 3}, 1, "18 19 20"},
		"after the head":               {contract.HistoryRequest{AfterSeq: seq(20)}, 1, ""},
		"far after the head":           {contract.HistoryRequest{AfterSeq: seq(math.MaxInt64)}, 1, ""},
		"between":                      {contract.HistoryRequest{AfterSeq: seq(3), BeforeSeq: seq(6)}, 1, "4 5"},
		"between, and more":            {contract.HistoryRequest{AfterSeq: seq(3), BeforeSeq: seq(8), Limit: 2}, 1, "4 5 +"},
		"between neighbours":           {contract.HistoryRequest{AfterSeq: seq(3), BeforeSeq: seq(4)}, 1, ""},
		"after, before joining":        {contract.HistoryRequest{AfterSeq: seq(0), Limit: 2}, 10, "10 11 +"},
		"before, before joining":       {contract.HistoryRequest{BeforeSeq: seq(12), Limit: 5}, 10, "11 10"},
		"before, all before joining":   {contract.HistoryRequest{BeforeSeq: seq(9), Limit: 5}, 10, ""},
		"joined, nothing said since":   {contract.HistoryRequest{}, 21, ""},
		"page 1":                       {contract.HistoryRequest{PageIndex: 1, PageSize: 3}, 1, "20 19 18 +"},
		"page 2":                       {contract.HistoryRequest{PageIndex: 2, PageSize: 3}, 1, "17 16 15 +"},
		"the last page":                {contract.HistoryRequest{PageIndex: 7, PageSize: 3}, 1, "2 1"},
		"the last full page":           {contract.HistoryRequest{PageIndex: 5, PageSize: 4}, 1, "4 3 2 1"},
		"a page too far":               {contract.HistoryRequest{PageIndex: 8, PageSize: 3}, 1, ""},
		"a page much too far":          {contract.HistoryRequest{PageIndex: math.MaxInt, PageSize: 200}, 1, ""},
		"a page up to joining":         {contract.HistoryRequest{PageIndex: 2, PageSize: 3}, 16, "17 16"},
		"a page before joining":        {contract.HistoryRequest{PageIndex: 3, PageSize: 3}, 16, ""},
	} {
		for kept, memory := range map[string]*Memory{"nothing": testMemory(), "the end": testMemory(), "all": testMemory()} {
			switch kept {
			case "the end":
				remember(memory, all[13:])
			case "all":
				remember(memory, all)
			}
			t.Run(name+", remembering "+kept, func(t *testing.T) {
				c.req.RoomID, c.req.Caller.UserID = "room", "ben"
				if err := checkHistory(c.req); err != nil {
					t.Fatal(err)
				}
				reply, err := testHistory(store, memory).Read(within(t), c.req, c.first)
				if err != nil {
					t.Fatal(err)
				}
				if got := told(reply); got != c.want || reply.LastSeq != 20 || reply.Items == nil {
					t.Fatalf("got %v of %d, want %s", got, reply.LastSeq, c.want)
				}
			})
		}
	}

	t.Run("a room without messages", func(t *testing.T) {
		reply, err := testHistory(store, testMemory()).Read(within(t), contract.HistoryRequest{RoomID: "empty", AfterSeq: seq(0)}, 1)
		if err != nil || len(reply.Items) != 0 || reply.HasMore || reply.LastSeq != 0 {
			t.Fatalf("%+v, %v", reply, err)
		}
	})
}

// told are the seqs of a page, and + when there are more.
func told(reply contract.HistoryReply) string {
	var seqs []string
	for _, m := range reply.Items {
		seqs = append(seqs, fmt.Sprint(m.Seq))
	}
	if reply.HasMore {
		seqs = append(seqs, "+")
	}
	return strings.Join(seqs, " ")
}

// A room of 30 messages, of which this replica remembers 11 to 20: it stored
// them, and then another replica stored the rest.
func TestHistory_Read_asks_the_store_for_what_may_be_new(t *testing.T) {
	seq := func(n int64) *int64 { return &n }
	const away = "away"
	for name, c := range map[string]struct {
		req          contract.HistoryRequest
		first        int64
		known        string // while the replica's own messages are the last
		tails, pages int64
		behind       string // when another's have come
		away         string // while the store is away
	}{
		"a gap":                         {contract.HistoryRequest{AfterSeq: seq(11), BeforeSeq: seq(15)}, 1, "12 13 14", 0, 0, "12 13 14", "12 13 14"},
		"a gap up to the last known":    {contract.HistoryRequest{AfterSeq: seq(17), BeforeSeq: seq(21)}, 1, "18 19 20", 0, 0, "18 19 20", "18 19 20"},
		"a gap, page by page":           {contract.HistoryRequest{AfterSeq: seq(11), Limit: 3}, 1, "12 13 14 +", 0, 0, "12 13 14 +", "12 13 14 +"},
		"the rest":                      {contract.HistoryRequest{AfterSeq: seq(17)}, 1, "18 19 20", 1, 0, "18 19 20 21 22 23 24 25 26 27 28 29 30", "18 19 20 +"},
		"the rest, and it fills a page": {contract.HistoryRequest{AfterSeq: seq(17), Limit: 3}, 1, "18 19 20", 1, 0, "18 19 20 +", "18 19 20 +"},
		"whether there is more":         {contract.HistoryRequest{AfterSeq: seq(20)}, 1, "", 1, 0, "21 22 23 24 25 26 27 28 29 30", away},
		"before what is remembered":     {contract.HistoryRequest{AfterSeq: seq(8), Limit: 3}, 1, "9 10 11 +", 1, 1, "9 10 11 +", away},
		"the newest":                    {contract.HistoryRequest{Limit: 3}, 1, "20 19 18 +", 1, 0, "30 29 28 +", away},
		"the first page":                {contract.HistoryRequest{PageIndex: 1, PageSize: 3}, 1, "20 19 18 +", 1, 0, "30 29 28 +", away},
		"older ones":                    {contract.HistoryRequest{BeforeSeq: seq(15), Limit: 3}, 1, "14 13 12 +", 0, 0, "14 13 12 +", "14 13 12 +"},
		"older ones, partly remembered": {contract.HistoryRequest{BeforeSeq: seq(13), Limit: 4}, 1, "12 11 10 9 +", 1, 1, "12 11 10 9 +", "12 11 +"},
		"older ones, since joining":     {contract.HistoryRequest{BeforeSeq: seq(13)}, 12, "12", 0, 0, "12", "12"},
		"none since joining":            {contract.HistoryRequest{BeforeSeq: seq(13)}, 13, "", 0, 0, "", ""},
		"after, since joining":          {contract.HistoryRequest{AfterSeq: seq(3), Limit: 2}, 15, "15 16 +", 0, 0, "15 16 +", "15 16 +"},
		"joined after what is known":    {contract.HistoryRequest{AfterSeq: seq(3)}, 21, "", 1, 0, "21 22 23 24 25 26 27 28 29 30", away},
	} {
		t.Run(name, func(t *testing.T) {
			store, memory := &faulty{Store: newStore(t)}, testMemory()
			fill(t, store.Store, "room", 20)
			remember(memory, stored(t, store.Store, "room")[10:])
			asked := newEdgeStore(store, time.Minute, 10, slog.New(slog.DiscardHandler))
			history := testHistory(asked, memory)
			c.req.RoomID = "room"
			read := func(want string, last ...int64) {
				t.Helper()
				reply, err := history.Read(within(t), c.req, c.first)
				if want == away {
					refusedAway(t, err)
					return
				}
				if got := told(reply); err != nil || got != want || !slices.Contains(last, reply.LastSeq) {
					t.Fatalf("got %q of %d, %v; want %q of %v", got, reply.LastSeq, err, want, last)
				}
				if !reply.HasMore && c.req.BeforeSeq == nil && reply.LastSeq != slices.Max(last) {
					t.Fatalf("the end is claimed at %d", reply.LastSeq)
				}
			}
			read(c.known, 20)
			if tails, pages := store.tails.Load(), store.pages.Load(); tails != c.tails || pages != c.pages {
				t.Fatalf("the store was asked for %d heads and %d pages, want %d and %d", tails, pages, c.tails, c.pages)
			}
			store.onRead = func(context.Context) error { return errBroken }
			read(c.away, 20)
			store.onRead = nil
			if _, err := store.Store.Append(within(t), messagesOf("room", 21, 30)); err != nil {
				t.Fatal(err)
			}
			read(c.behind, 20, 30)
			if memory.Last("room") != 20 {
				t.Fatal("a read has filled the memory")
			}
		})
	}

	t.Run("a_mistake_of_ours_is_not_covered_up", func(t *testing.T) {
		store, memory := &faulty{Store: newStore(t)}, testMemory()
		remember(memory, messagesOf("room", 1, 20))
		store.onRead = func(context.Context) error { return ErrUnreadable }
		_, err := testHistory(store, memory).Read(within(t), contract.HistoryRequest{RoomID: "room", AfterSeq: seq(17)}, 1)
		if !errors.Is(err, ErrUnreadable) {
			t.Fatal(err)
		}
	})
}

func TestCheckHistory(t *testing.T) {
	seq := func(n int64) *int64 { return &n }
	for name, c := range map[string]struct {
		req   contract.HistoryRequest
		field string
	}{
		"after a negative one":     {contract.HistoryRequest{AfterSeq: seq(-1)}, "after_seq"},
		"before zero":              {contract.HistoryRequest{BeforeSeq: seq(0)}, "before_seq"},
		"201 messages":             {contract.HistoryRequest{Limit: 201}, "limit"},
		"less than none":           {contract.HistoryRequest{Limit: -1}, "limit"},
		"page 0":                   {contract.HistoryRequest{PageSize: 10}, "page_index"},
		"page -1":                  {contract.HistoryRequest{PageIndex: -1}, "page_index"},
		"a page of 201":            {contract.HistoryRequest{PageIndex: 1, PageSize: 201}, "page_size"},
		"a page and a limit":       {contract.HistoryRequest{PageIndex: 1, Limit: 10}, "page_index"},
		"a page after a seq":       {contract.HistoryRequest{PageIndex: 1, AfterSeq: seq(1)}, "page_index"},
		"a room that is a pattern": {contract.HistoryRequest{RoomID: ">"}, "room_id"},
	} {
		t.Run(name, func(t *testing.T) {
			c.req.Caller.UserID = "ben"
			if c.req.RoomID == "" {
				c.req.RoomID = "room"
			}
			f := fault.From(checkHistory(c.req))
			if f == nil || f.Code != fault.InvalidArgument || f.Fields[0].Field != c.field {
				t.Fatalf("got %v", f)
			}
		})
	}
}
