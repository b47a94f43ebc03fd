package gateway

import "time"

// pace is a token bucket for one connection's frames; its reader alone uses
// it.
type pace struct {
	perSecond float64
	burst     float64
	tokens    float64
	last      time.Time
}

func newPace(perSecond float64, burst int) pace {
	return pace{perSecond: perSecond, burst: float64(burst), tokens: float64(burst)}
}

func (p *pace) allow(now time.Time) bool {
	if !p.last.IsZero() {
		p.tokens = min(p.burst, p.tokens+now.Sub(p.last).Seconds()*p.perSecond)
	}
	p.last = now
	if p.tokens < 1 {
		return false
	}
	p.tokens--
	return true
}
