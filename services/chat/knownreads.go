package chat

// knownReads remembers read positions that are stored, the latest of them. It
// keeps two generations, and forgets the older one when the younger has half
// of the limit: what is asked for stays.
type knownReads struct {
	limit      int // positions; 0: remembers nothing
	young, old map[readKey]int64
}

// reached is how far the user is known to have read the room, 0 if nothing is
// known.
func (k *knownReads) reached(key readKey) int64 {
	seq, ok := k.young[key]
	if !ok {
		if seq, ok = k.old[key]; ok {
			k.put(key, seq)
		}
	}
	return seq
}

// note remembers that the user has read so far at least.
func (k *knownReads) note(key readKey, seq int64) {
	if k.limit > 0 {
		k.put(key, max(seq, k.young[key], k.old[key]))
	}
}

func (k *knownReads) put(key readKey, seq int64) {
	if _, ok := k.young[key]; !ok && len(k.young) >= max(1, k.limit/2) {
		k.young, k.old = nil, k.young
	}
	if k.young == nil {
		k.young = make(map[readKey]int64)
	}
	k.young[key] = seq
}
