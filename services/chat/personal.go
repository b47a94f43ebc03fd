package chat

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/audit"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

const (
	// stepsOfCall bounds what one request asks of the store.
	stepsOfCall = 20
	// erasedByStep bounds one write of an erasure, for which others wait.
	erasedByStep = 100
	// erasedByCall ends a request.
	erasedByCall = 500
)

var errCursor = fault.Invalid("cursor", "is none that was given out")

// Personal is what chat keeps about a user: what they wrote, and how far they
// have read.
type Personal struct {
	store  Store
	memory *Memory
	tell   func(context.Context, contract.MessageRemovedData)
	now    func() time.Time
}

// event tells of an act about a user.
func (p *Personal) event(act contract.Act, action, userID string) ([]contract.Event, error) {
	e, err := audit.Event(contract.ChatAudit, act, action, userID, contract.AuditEvent{UserID: userID}, p.now())
	return []contract.Event{e}, err
}

// Erase puts tombstones in the place of what a user wrote, also where it is
// remembered, and forgets how far they have read: some of it, until it is done.
func (p *Personal) Erase(ctx context.Context, req contract.AdminUserRequest) (reply contract.EraseReply, err error) {
	e := Erasure{
		UserID: req.UserID, By: contract.RemovedByAdmin, At: contract.NewTime(p.now()), Limit: erasedByStep, Tell: tombstoned,
	}
	if e.Events, err = p.event(req.Act, contract.EraseChat.Name, req.UserID); err != nil {
		return reply, err
	}
	for step := 0; step < stepsOfCall && reply.Erased < erasedByCall; step++ {
		done, err := p.store.Erase(ctx, e)
		if err != nil {
			p.memory.DropAll() // it may have come further
			return reply, fmt.Errorf("erase user: %w", err)
		}
		if done.Done {
			if step == 0 { // nothing carried the event
				err = p.store.Post(ctx, e.Events)
			}
			reply.Done = err == nil
			return reply, err
		}
		e.Events = nil
		for _, at := range done.Removed {
			p.memory.Removed(at, e.By, e.At)
			p.tell(ctx, contract.MessageRemovedData{RoomID: at.RoomID, Seq: at.Seq, RemovedBy: e.By, RemovedAt: e.At})
		}
		reply.Erased += len(done.Removed)
	}
	return reply, nil
}

// Export returns a page: room by room, how far the user has read, and what
// they wrote, tombstones too.
func (p *Personal) Export(ctx context.Context, req contract.ExportRequest) (contract.ExportPage, error) {
	events, err := p.event(req.Act, contract.ExportChat.Name, req.UserID)
	if err == nil {
		err = p.store.Post(ctx, events)
	}
	if err != nil {
		return contract.ExportPage{}, fmt.Errorf("export user: %w", err)
	}
	e := openExport(req)
	for step := 0; step < stepsOfCall && !e.full(); step++ {
		if done, err := p.exportMore(ctx, e); err != nil || done {
			return e.page, err
		}
	}
	e.page.NextCursor = e.cursor()
	return e.page, nil
}

// exportMore reads on, and reports whether there was nothing more.
func (p *Personal) exportMore(ctx context.Context, e *export) (done bool, err error) {
	if !e.inside {
		next, err := p.store.Positions(ctx, e.userID, e.roomID, 1)
		if err != nil || len(next) == 0 {
			return true, err
		}
		e.roomID, e.inside, e.written = next[0].RoomID, true, ""
		if at := next[0]; at.Seq > 0 {
			if err := e.add("read_position", contract.RoomReadData{RoomID: at.RoomID, UserID: e.userID, Seq: at.Seq}, 0); err != nil {
				return false, err
			}
		}
	}
	records, next, err := p.store.Written(ctx, Written{
		UserID: e.userID, RoomID: e.roomID, Cursor: e.written, Limit: max(1, contract.MaxPage-len(e.page.Items)), Bytes: e.left,
	})
	if err != nil {
		return false, err
	}
	for _, r := range records {
		if err := e.add("message", r.Message, r.Size()); err != nil {
			return false, err
		}
	}
	e.written, e.inside = next, next != ""
	return false, nil
}

// export is a page as it fills, and the place that it has come to: behind a
// room, or inside it.
type export struct {
	userID  string
	roomID  string
	inside  bool
	written string // the store's cursor
	page    contract.ExportPage
	left    int // bytes
}

// openExport goes on where a page ended. Its cursor is a room that was
// finished, or one that was not with the store's cursor behind a dot.
func openExport(req contract.ExportRequest) *export {
	e := &export{userID: req.UserID, page: contract.ExportPage{Items: []contract.ExportItem{}}, left: contract.MaxPageBytes}
	e.roomID, e.written, e.inside = strings.Cut(req.Cursor, ".")
	return e
}

func (e *export) cursor() string {
	if e.inside {
		return e.roomID + "." + e.written
	}
	return e.roomID
}

func (e *export) full() bool { return e.left <= 0 || len(e.page.Items) >= contract.MaxPage }

func (e *export) add(kind string, what any, size int) error {
	e.left -= size
	return e.page.Add(kind, what)
}

// checkPersonal refuses what can't be about a user.
func checkPersonal(act *contract.Act, userID, cursor string) error {
	var check fault.Check
	audit.Check(&check, act)
	check.That(contract.ValidID(userID), "user_id", "must be an id")
	room, written, _ := strings.Cut(cursor, ".")
	fine := cursor == "" || contract.ValidID(room) && (written == "" || contract.ValidID(written))
	check.That(fine, "cursor", "is none that was given out")
	return check.Err()
}
