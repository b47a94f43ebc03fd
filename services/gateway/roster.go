package gateway

// rosterIndexed is from how many connections on a roster has an index: in
// fewer, looking at each is as quick, and takes no memory.
const rosterIndexed = 16

// roster is a set of connections that costs little when there is one, as of
// most users and many rooms, and that is quick to go through. It is under the
// lock of whoever owns it.
type roster struct {
	list  []*conn
	index map[*conn]int // where in the list; nil while that is short
}

// add puts a connection in, unless it is.
func (r *roster) add(c *conn) {
	if r.find(c) >= 0 {
		return
	}
	r.list = append(r.list, c)
	switch {
	case r.index != nil:
		r.index[c] = len(r.list) - 1
	case len(r.list) > rosterIndexed:
		r.index = make(map[*conn]int, 2*len(r.list))
		for i, c := range r.list {
			r.index[c] = i
		}
	}
}

// remove takes a connection out, if it is in. The others' order is not kept.
func (r *roster) remove(c *conn) {
	i := r.find(c)
	if i < 0 {
		return
	}
	last := len(r.list) - 1
	moved := r.list[last]
	r.list[i], r.list[last] = moved, nil
	r.list = r.list[:last]
	if r.index != nil {
		r.index[moved] = i
		delete(r.index, c)
	}
}

// find is where the connection is, or -1.
func (r *roster) find(c *conn) int {
	if r.index != nil {
		if i, ok := r.index[c]; ok {
			return i
		}
		return -1
	}
	for i, other := range r.list {
		if other == c {
			return i
		}
	}
	return -1
}

// copied is the list, which stays as it is when others come and go.
func (r *roster) copied() []*conn { return append([]*conn(nil), r.list...) }
