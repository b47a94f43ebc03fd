package gateway

import "sync"

// asks is a queue of users whose rooms are to be read, in the order in which
// they were first asked for; each user stands in it once, however often they
// are asked for, so that it is no longer than there are users here.
type asks struct {
	mu    sync.Mutex
	queue []string
	state map[string]askState // of users that wait or are being read
	wake  chan struct{}       // capacity 1: there is someone to take
}

type askState int

const (
	askWaits askState = iota
	askRuns
	askRunsAgain // asked for while being read: what was read may be older than the ask
)

func newAsks() *asks {
	return &asks{state: map[string]askState{}, wake: make(chan struct{}, 1)}
}

// add asks for the user. It never blocks.
func (a *asks) add(userID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	state, known := a.state[userID]
	switch {
	case !known:
		a.enqueue(userID)
	case state == askRuns:
		a.state[userID] = askRunsAgain
	}
}

func (a *asks) enqueue(userID string) {
	a.state[userID] = askWaits
	a.queue = append(a.queue, userID)
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// take returns the next user, who is then being read until done.
func (a *asks) take() (userID string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) == 0 {
		a.queue = nil // let go of the array
		return "", false
	}
	userID, a.queue = a.queue[0], a.queue[1:]
	a.state[userID] = askRuns
	return userID, true
}

// start is take for a user who is not waiting; false means that they wait or
// are being read anyway.
func (a *asks) start(userID string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.state[userID]; known {
		return false
	}
	a.state[userID] = askRuns
	return true
}

// done ends what take or start began.
func (a *asks) done(userID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state[userID] == askRunsAgain {
		a.enqueue(userID)
		return
	}
	delete(a.state, userID)
}

// waiting is how many users wait.
func (a *asks) waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queue)
}
