package client

import (
	"maps"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// room puts one room's messages in order. It keeps one number, the cursor,
// and what came early.
type room struct {
	id     string
	cursor int64 // seq of the last message passed on
	head   int64 // the highest seq heard of
	gone   bool  // left, or disbanded: nothing is fetched
	early  map[int64]contract.Message
	// removed are those not passed on yet that are known to be removed.
	removed map[int64]contract.MessageRemovedData

	dueAt    time.Time // when what is missing is fetched; counts while behind
	fetching bool
	failures int // of fetching, in a row
}

// behind reports whether there is more than what was passed on.
func (r *room) behind() bool { return !r.gone && r.head > r.cursor }

// heard notes that the room has a message of that seq.
func (r *room) heard(seq int64) { r.head = max(r.head, seq) }

// begin moves the cursor to before the first message that may be read: who
// joins again does not get what was said in between.
// It returns how many held messages that made needless.
func (r *room) begin(firstSeq int64) (dropped int) {
	return r.jump(max(r.cursor, firstSeq-1))
}

func (r *room) jump(cursor int64) (dropped int) {
	r.cursor = cursor
	maps.DeleteFunc(r.removed, func(seq int64, _ contract.MessageRemovedData) bool { return seq <= cursor })
	for seq := range r.early {
		if seq <= cursor {
			delete(r.early, seq)
			dropped++
		}
	}
	return dropped
}

// known reports whether the message has been passed on, or waits.
func (r *room) known(seq int64) bool {
	_, waits := r.early[seq]
	return waits || seq <= r.cursor
}

// hold keeps a message that came early.
func (r *room) hold(m contract.Message) {
	if r.early == nil {
		r.early = map[int64]contract.Message{}
	}
	r.early[m.Seq] = m
}

// drop forgets a held message and reports whether there was one.
func (r *room) drop(seq int64) bool {
	_, held := r.early[seq]
	delete(r.early, seq)
	return held
}

// bury notes the removal of a message that is still to be passed on. No more
// than most of them are kept.
func (r *room) bury(d contract.MessageRemovedData, most int) {
	if r.gone || d.Seq <= r.cursor || len(r.removed) >= most {
		return
	}
	if r.removed == nil {
		r.removed = map[int64]contract.MessageRemovedData{}
	}
	r.removed[d.Seq] = d
	r.heard(d.Seq)
}

// seen is the message as it is by now: a tombstone when it was removed while it
// waited, or was on its way here.
func (r *room) seen(m contract.Message) contract.Message {
	d, ok := r.removed[m.Seq]
	delete(r.removed, m.Seq)
	if ok && m.Type != contract.MessageRemoved {
		m.Type, m.Content = contract.MessageRemoved, contract.Content{}
		m.RemovedBy, m.RemovedAt = d.RemovedBy, &d.RemovedAt
	}
	return m
}
