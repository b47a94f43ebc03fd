package gateway

// formerKept is how many departures a shard remembers at least, and half
// of how many it remembers at most; a departure takes about 150 bytes.
const formerKept = 2048

// formerMembers remembers at which revision of a room a user left it, for pushes
// and lists that are older and arrive later. The oldest are forgotten. Its
// owner's lock guards it.
type formerMembers struct {
	recent, older map[formerMember]int64
}

// formerMember is a user who left a room; userID is empty if all did.
type formerMember struct{ roomID, userID string }

// note remembers that the user left at the revision. An empty userID stands
// for all members: the room was disbanded.
func (d *formerMembers) note(roomID, userID string, rev int64) {
	key := formerMember{roomID, userID}
	if rev <= d.at(key) {
		return
	}
	if len(d.recent) >= formerKept {
		d.older, d.recent = d.recent, nil
	}
	if d.recent == nil {
		d.recent = make(map[formerMember]int64)
	}
	d.recent[key] = rev
}

// after reports whether the user left the room at this revision or a later
// one.
func (d *formerMembers) after(roomID, userID string, rev int64) bool {
	return max(d.at(formerMember{roomID, userID}), d.at(formerMember{roomID: roomID})) >= max(rev, 1)
}

// at returns the revision of a departure, or 0.
func (d *formerMembers) at(key formerMember) int64 {
	if rev, ok := d.recent[key]; ok {
		return rev
	}
	return d.older[key]
}
