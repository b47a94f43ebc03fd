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
func (r Range) more(page []contract.Message) bool {
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

// History reads the logs of rooms: from memory what it holds, from the store
// the rest.
type History struct {
	store   Store
	memory  *Memory
	metrics *historyMetrics
}

// Read answers a checked request of someone who may read from first on.
//
// Before it says that there is no more, the store is asked: other replicas
// write too. Only then is LastSeq the exact head; else it is the last that
// this replica knows of. While the store is away a page that memory holds in
// part is cut short, with HasMore.
func (h *History) Read(ctx context.Context, req contract.HistoryRequest, first int64) (contract.HistoryReply, error) {
	known := h.memory.Last(req.RoomID)
	if reply, ok := h.recall(req, first, known); ok {
		h.metrics.memory.Inc()
		return reply, nil
	}
	reply, err := h.ask(ctx, req, first, known)
	if !fault.Is(err, fault.Unavailable) {
		return reply, err
	}
	if reply, ok := h.part(req, first, known); ok {
		h.metrics.part.Inc()
		return reply, nil
	}
	return reply, err
}

// recall answers without the store, if what it would say could not matter.
func (h *History) recall(req contract.HistoryRequest, first, known int64) (contract.HistoryReply, bool) {
	if known == 0 || !belowHead(req, known) && req.AfterSeq == nil {
		return contract.HistoryReply{}, false
	}
	r := pageRange(req, first, known)
	page, whole := h.memory.Page(r)
	return r.reply(page, known), whole && (belowHead(req, known) || r.more(page))
}

// belowHead reports whether a request is for messages up to one that is there:
// what comes after it does not matter.
func belowHead(req contract.HistoryRequest, known int64) bool {
	return req.BeforeSeq != nil && *req.BeforeSeq-1 <= known
}

// ask has the store say where the room ends, before the page is read: no page
// goes beyond that.
func (h *History) ask(ctx context.Context, req contract.HistoryRequest, first, known int64) (contract.HistoryReply, error) {
	head, err := tail(ctx, h.store, req.RoomID)
	if err != nil {
		return contract.HistoryReply{}, err
	}
	head = max(head, known) // a primary that has just taken over may lag behind
	r := pageRange(req, first, head)
	if page, whole := h.memory.Page(r); whole {
		h.metrics.head.Inc()
		return r.reply(page, head), nil
	}
	records, err := h.store.Page(ctx, r)
	if err != nil {
		return contract.HistoryReply{}, fmt.Errorf("read history: %w", err)
	}
	h.metrics.store.Inc()
	page := make([]contract.Message, len(records))
	for i, m := range records {
		page[i] = m.Message
	}
	return r.reply(page, head), nil
}

// part answers with the beginning of a page, if memory holds it: never one
// that begins at the head, which nobody knows while the store is away.
func (h *History) part(req contract.HistoryRequest, first, known int64) (contract.HistoryReply, bool) {
	if known == 0 || !belowHead(req, known) && req.AfterSeq == nil {
		return contract.HistoryReply{}, false
	}
	page, _ := h.memory.Page(pageRange(req, first, known))
	return contract.HistoryReply{Items: page, LastSeq: known, HasMore: true}, len(page) > 0
}

// reply is the page read from the range, of a room that has got to last.
func (r Range) reply(page []contract.Message, last int64) contract.HistoryReply {
	return contract.HistoryReply{Items: page, LastSeq: last, HasMore: r.more(page)}
}

// tail is a room's exact head, 0 for none.
func tail(ctx context.Context, store Store, roomID string) (int64, error) {
	tails, err := store.Tails(ctx, []string{roomID})
	if err != nil {
		return 0, fmt.Errorf("read head: %w", err)
	}
	return tails[roomID], nil
}
