package chat

import (
	"context"
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// checkHistory refuses a request for a page that cannot be.
func checkHistory(req contract.HistoryRequest) error {
	var check fault.Check
	checkCaller(&check, req.Caller)
	checkRoom(&check, req.RoomID)
	check.That(req.AfterSeq == nil || *req.AfterSeq >= 0, "after_seq", "must not be negative")
	check.That(req.BeforeSeq == nil || *req.BeforeSeq >= 1, "before_seq", "must be at least 1")
	checkLimit(&check, "limit", req.Limit)
	checkLimit(&check, "page_size", req.PageSize)
	check.That(req.PageIndex >= 0, "page_index", "must be at least 1")
	check.That(req.PageSize == 0 || req.PageIndex > 0, "page_index", "goes with page_size")
	bySeq := req.AfterSeq != nil || req.BeforeSeq != nil || req.Limit != 0
	check.That(!bySeq || req.PageIndex == 0, "page_index", "does not go with after_seq, before_seq and limit")
	return check.Err()
}

func checkLimit(check *fault.Check, field string, limit int) {
	check.That(0 <= limit && limit <= contract.MaxPage, field, "must be between 1 and 200")
}

// pageLimit is how many entries a list or a page has that asks for limit.
func pageLimit(limit int) int {
	if limit == 0 {
		return contract.DefaultPage
	}
	return limit
}

// pageRange is the part of the log that a request asks for, when the caller
// may read from first on and the room ends at head. Because a log has neither
// holes nor doubles, all of it is arithmetic, and a page costs the same
// wherever it lies.
func pageRange(req contract.HistoryRequest, first, head int64) Range {
	r := Range{
		RoomID: req.RoomID,
		From:   max(first, 1),
		To:     head,
		Newest: req.AfterSeq == nil,
		Limit:  pageLimit(req.Limit),
		Bytes:  contract.MaxPageBytes,
	}
	if req.AfterSeq != nil {
		r.From = max(r.From, min(*req.AfterSeq, head)+1)
	}
	if req.BeforeSeq != nil {
		r.To = min(r.To, *req.BeforeSeq-1)
	}
	if req.PageIndex > 0 {
		r.Limit = pageLimit(req.PageSize)
		before := int64(req.PageIndex - 1) // pages
		if before > head/int64(r.Limit) {  // beyond the first message, and no overflow
			r.To = 0
		} else {
			r.To = head - before*int64(r.Limit)
		}
	}
	return r
}

// more reports whether the range goes on after the page read from it.
func (r Range) more(page []Record) bool {
	switch {
	case r.From > r.To:
		return false
	case len(page) == 0:
		return true
	case r.Newest:
		return page[len(page)-1].Seq > r.From
	default:
		return page[len(page)-1].Seq < r.To
	}
}

// readHistory answers a checked request of someone who may read from first
// on. The head is read before the page, so that no page goes beyond it.
func readHistory(ctx context.Context, store Store, req contract.HistoryRequest, first int64) (contract.HistoryReply, error) {
	head, err := tail(ctx, store, req.RoomID)
	if err != nil {
		return contract.HistoryReply{}, err
	}
	reply := contract.HistoryReply{Items: []contract.Message{}, LastSeq: head}
	r := pageRange(req, first, head)
	if r.From > r.To {
		return reply, nil
	}
	page, err := store.Page(ctx, r)
	if err != nil {
		return contract.HistoryReply{}, fmt.Errorf("read history: %w", err)
	}
	for _, m := range page {
		reply.Items = append(reply.Items, m.Message)
	}
	reply.HasMore = r.more(page)
	return reply, nil
}

// tail is a room's exact head, 0 for none.
func tail(ctx context.Context, store Store, roomID string) (int64, error) {
	tails, err := store.Tails(ctx, []string{roomID})
	if err != nil {
		return 0, fmt.Errorf("read head: %w", err)
	}
	return tails[roomID], nil
}
