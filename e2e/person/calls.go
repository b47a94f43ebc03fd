package person

import (
	"slices"
	"sync"
)

// Calls knows which calls the document has, and which were made.
type Calls struct {
	mu       sync.Mutex
	expected map[string]bool // made or not
}

func (c *Calls) expect(call string) {
	if c.expected == nil {
		c.expected = map[string]bool{}
	}
	c.expected[call] = false
}

func (c *Calls) note(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected[call] = true
}

// Missing lists the calls that nobody made.
func (c *Calls) Missing() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var missing []string
	for call, made := range c.expected {
		if !made {
			missing = append(missing, call)
		}
	}
	slices.Sort(missing)
	return missing
}
