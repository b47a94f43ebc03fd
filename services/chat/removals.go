package chat

// removals are the last messages whose removal was heard of, so that one whose
// insert was still under way is not remembered as it was.
type removals struct {
	heard uint64
	last  [256]Place // the n-th at n % 256
}

func (r *removals) hear(at Place) {
	r.last[r.heard%uint64(len(r.last))] = at
	r.heard++
}

// since reports whether the removal was among those heard from the n-th on,
// or may have been.
func (r *removals) since(n uint64, at Place) bool {
	if r.heard-n > uint64(len(r.last)) {
		return true
	}
	for ; n < r.heard; n++ {
		if r.last[n%uint64(len(r.last))] == at {
			return true
		}
	}
	return false
}
