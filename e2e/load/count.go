package main

// count compares what members have with what was acknowledged, once all
// devices have ended. A message that a member has and nobody got an answer for
// was stored twice, unless answers are still missing.
func (r *run) count(unanswered int) (lost int, doubled int64) {
	for _, to := range r.rooms {
		extra := int64(0)
		for _, d := range to.members {
			l := d.logOf(to)
			lost += l.lost(to.head.Load())
			extra = max(extra, l.beyond(to.acked))
		}
		if unanswered == 0 {
			doubled += extra
		}
	}
	return lost, doubled
}
