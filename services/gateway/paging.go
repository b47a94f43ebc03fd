package gateway

import (
	"strconv"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// maxCursor is far above any cursor that a service gives, in bytes.
const maxCursor = 1024

// list is how every list is answered.
type list[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"` // empty on the last page
}

// listOf answers a page; one without items is [], not null.
func listOf[T any](items []T, next string) answer {
	if items == nil {
		items = []T{}
	}
	return ok200(list[T]{Items: items, NextCursor: next})
}

// params reads numbers of the query, and gathers what is wrong with them.
type params struct {
	request *request
	check   fault.Check
}

// number is the parameter's value within bounds; given is false, and the
// number 0, when it is not there or wrong.
func (p *params) number(name string, least, most int64, detail string) (n int64, given bool) {
	text, given := p.request.query(name)
	if !given {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	ok := err == nil && n >= least && n <= most
	p.check.That(ok, name, detail)
	if !ok {
		return 0, false
	}
	return n, true
}

// size is a parameter that says how many entries to give.
func (p *params) size(name string) int {
	if n, given := p.number(name, 1, contract.MaxPage, "must be a number from 1 to 200"); given {
		return int(n)
	}
	return contract.DefaultPage
}

// paging reads limit and cursor.
func (r *request) paging() (limit int, cursor string, err error) {
	p := params{request: r}
	limit = p.size("limit")
	cursor, _ = r.query("cursor")
	p.check.That(len(cursor) <= maxCursor, "cursor", "is not one that was given")
	return limit, cursor, p.check.Err()
}

// history reads which part of a room's log is asked for: by seq, or by page.
func (r *request) history(into *contract.HistoryRequest) error {
	const wholeNumber = "must be a whole number, 0 or more"
	p := params{request: r}
	after, hasAfter := p.number("after_seq", 0, 1<<62, wholeNumber)
	before, hasBefore := p.number("before_seq", 0, 1<<62, wholeNumber)
	limit := p.size("limit")
	_, byIndex := r.query("page_index")
	_, bySize := r.query("page_size")
	if !byIndex && !bySize {
		into.Limit = limit
		if hasAfter {
			into.AfterSeq = &after
		}
		if hasBefore {
			into.BeforeSeq = &before
		}
		return p.check.Err()
	}
	index, given := p.number("page_index", 1, 1<<31-1, "must be a number, 1 or more")
	if !given {
		index = 1
	}
	into.PageIndex, into.PageSize = int(index), p.size("page_size")
	for _, name := range []string{"after_seq", "before_seq", "limit"} {
		_, both := r.query(name)
		p.check.That(!both, name, "does not go with page_index and page_size")
	}
	return p.check.Err()
}
