package chat

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

func TestReadHistory(t *testing.T) {
	store := newStore(t)
	fill(t, store, "room", 20)
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
		t.Run(name, func(t *testing.T) {
			c.req.RoomID, c.req.Caller.UserID = "room", "ben"
			if err := checkHistory(c.req); err != nil {
				t.Fatal(err)
			}
			reply, err := readHistory(within(t), store, c.req, c.first)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range reply.Items {
				got = append(got, fmt.Sprint(m.Seq))
			}
			if reply.HasMore {
				got = append(got, "+")
			}
			if strings.Join(got, " ") != c.want || reply.LastSeq != 20 || reply.Items == nil {
				t.Fatalf("got %v of %d, want %s", got, reply.LastSeq, c.want)
			}
		})
	}

	t.Run("a room without messages", func(t *testing.T) {
		reply, err := readHistory(within(t), store, contract.HistoryRequest{RoomID: "empty", AfterSeq: seq(0)}, 1)
		if err != nil || len(reply.Items) != 0 || reply.HasMore || reply.LastSeq != 0 {
			t.Fatalf("%+v, %v", reply, err)
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
