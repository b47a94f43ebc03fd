package gateway

import "time"

// turnstile bounds how often connections are opened under each key, a user's
// id or an address: GCRA as in limits.go, but of this gateway alone, as the caps
// are. A crowd that connects again after an outage asks Redis nothing.
//
// It has no lock of its own. A key that is silent is forgotten when its bucket
// is full again, so that there are never more keys than connections were opened
// in that time.
type turnstile struct {
	per   time.Duration // until there is one more
	burst int
	full  map[string]time.Time // when the key's bucket is full again
}

func newTurnstile(perMinute float64, burst int) *turnstile {
	return &turnstile{per: max(time.Duration(float64(time.Minute)/perMinute), 1), burst: burst, full: map[string]time.Time{}}
}

// wait is how long the key must wait until one more may come; 0: it may.
// Without a key nobody is counted.
func (t *turnstile) wait(key string, now time.Time) time.Duration {
	if key == "" {
		return 0
	}
	return max(0, t.next(key, now).Sub(now)-time.Duration(t.burst)*t.per)
}

// pass counts one that may.
func (t *turnstile) pass(key string, now time.Time) {
	if key != "" {
		t.full[key] = t.next(key, now)
	}
}

// next is when the bucket is full again if one more comes now.
func (t *turnstile) next(key string, now time.Time) time.Time {
	if full := t.full[key]; full.After(now) {
		return full.Add(t.per)
	}
	return now.Add(t.per)
}

// sweep forgets keys whose buckets are full.
func (t *turnstile) sweep(now time.Time) {
	for key, full := range t.full {
		if !full.After(now) {
			delete(t.full, key)
		}
	}
}
