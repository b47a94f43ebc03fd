package chat

// recentSends remembers the last messages that a committer stored, so that a
// retry soon after is answered without asking the store. It is a help only:
// the store refuses what has been forgotten here.
type recentSends struct {
	byKey map[Key]Record // without content
	ring  []Key          // in the order of storing
	next  int            // where the ring is written next, over the oldest
}

func newRecentSends(limit int) *recentSends {
	return &recentSends{byKey: make(map[Key]Record), ring: make([]Key, 0, limit)}
}

// add remembers a stored message, and forgets the oldest one if full.
func (r *recentSends) add(stored Record) {
	key := stored.Key()
	stored.Content.Text = ""
	if _, ok := r.byKey[key]; ok {
		return
	}
	r.byKey[key] = stored
	if len(r.ring) < cap(r.ring) {
		r.ring = append(r.ring, key)
		return
	}
	delete(r.byKey, r.ring[r.next])
	r.ring[r.next] = key
	r.next = (r.next + 1) % len(r.ring)
}

// find returns what was stored under the key, its content apart.
func (r *recentSends) find(key Key) (Record, bool) {
	stored, ok := r.byKey[key]
	return stored, ok
}
