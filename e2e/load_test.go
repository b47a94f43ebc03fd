package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
)

const (
	// sendWithin is how long a message may take, retries included.
	sendWithin = 10 * time.Second
	// callWithin is the same for a call of the API. It is longer than the ten
	// seconds after which a gateway gives up a call whose answer is lost.
	callWithin = 20 * time.Second
	// loadPause lies between two messages of one sender, and two calls: a
	// hundred messages a second in all, and some processor left for restarts.
	loadPause = 100 * time.Millisecond
)

// load is people who talk in several rooms over sockets that must stay open,
// and use the HTTP API besides: they read, renew a session, and give a group
// new names. What is answered with a passing error they send again, each
// message under its one client_id.
type load struct {
	people  []*person.Person
	sockets []*person.Socket
	rooms   []string
	end     context.CancelFunc
	working sync.WaitGroup

	mu    sync.Mutex
	acked map[string]contract.SendReply // by client_id
	seen  map[string]*outcomes          // by call
}

// outcomes are what became of one kind of call.
type outcomes struct {
	done    int
	longest time.Duration  // retries included
	errors  map[string]int // by code: answers after which it was asked again
}

// loadSystem is what a load runs on: two replicas of each service, three
// gateways and three servers of NATS. Those who register together wait for
// their turn, however slow the machine is at hashing passwords.
func loadSystem(t *testing.T) *system.System {
	t.Helper()
	return system.Start(t, system.Options{Cluster: true, Env: []string{"AUTH_HASH_WAIT=1m"}})
}

// startLoad has ten people send in four rooms until stop, and some of them
// call the API.
func startLoad(t *testing.T, s *system.System) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{end: cancel, acked: map[string]contract.SendReply{}, seen: map[string]*outcomes{}}
	for names := range slices.Chunk(numbered("l", 10), 5) {
		l.people = append(l.people, people(t, s, names...)...)
	}
	for _, p := range l.people[1:] {
		l.people[0].Befriend(t, p)
	}
	for i := range 4 {
		l.rooms = append(l.rooms, l.people[0].Group(t, fmt.Sprintf("room %d", i), l.people[1:]...).ID)
	}
	for _, p := range l.people {
		l.sockets = append(l.sockets, p.Dial(t))
	}
	t.Cleanup(func() { l.stop() })
	for i := range l.people {
		l.working.Go(func() { l.send(ctx, t, i) }) // ended and joined by stop, as those below
	}
	l.working.Go(func() { l.ask(ctx, t, l.people[0], "/api/v1/friends") })
	l.working.Go(func() { l.ask(ctx, t, l.people[1], "/api/v1/rooms") })
	refreshing := l.people[2].Login(t, l.people[2].Gateway, "refreshing")
	l.working.Go(func() { l.refresh(ctx, t, refreshing) })
	l.working.Go(func() { l.rename(ctx, t, l.people[0], l.rooms[0]) })
	return l
}

// stop ends the load when what is in hand has an answer.
func (l *load) stop() {
	l.end()
	l.working.Wait()
}

// awaitMore waits until n more messages have been acknowledged.
func (l *load) awaitMore(t *testing.T, n int) {
	t.Helper()
	sent := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.acked)
	}
	before := sent()
	eventually(t, "more messages are acknowledged", func() bool { return sent() >= before+n })
}

// send is one person's talk.
func (l *load) send(ctx context.Context, t *testing.T, i int) {
	for n := 0; pause(ctx); n++ {
		clientID := fmt.Sprintf("%d-%d", i, n)
		began := time.Now()
		within, cancel := context.WithTimeout(t.Context(), sendWithin)
		reply, err := deliver(within, l.sockets[i], l.rooms[n%len(l.rooms)], clientID, func(code string) {
			l.failed(string(contract.OpMessageSend), code)
		})
		cancel()
		if err != nil {
			t.Errorf("%s sent by %s, after %v: %v", clientID, l.people[i].Gateway, time.Since(began), err)
			return
		}
		l.done(string(contract.OpMessageSend), began)
		l.mu.Lock()
		l.acked[clientID] = reply
		l.mu.Unlock()
	}
}

// ask reads the same thing again and again.
func (l *load) ask(ctx context.Context, t *testing.T, p *person.Person, path string) {
	for pause(ctx) {
		l.call(t, "GET "+path, func() person.Answer { return p.Get(t, path) }).Is(t, http.StatusOK)
	}
}

// refresh renews a session again and again. A retry uses the token that may
// have been spent: that its successor is unused makes it good.
func (l *load) refresh(ctx context.Context, t *testing.T, p *person.Person) {
	for pause(ctx) {
		grant := person.Decode[contract.Grant](t, l.call(t, "POST /api/v1/auth/refresh", func() person.Answer {
			return p.Post(t, "/api/v1/auth/refresh", map[string]any{"refresh_token": p.Refresh})
		}).Is(t, http.StatusOK))
		p.Access, p.Refresh = grant.AccessToken, grant.RefreshToken
	}
}

// renamed is how rename's calls are called.
const renamed = "PATCH /api/v1/rooms/{id}"

// rename gives a group name after name, each of which is a durable event.
func (l *load) rename(ctx context.Context, t *testing.T, p *person.Person, room string) {
	for n := 0; pause(ctx); n++ {
		l.call(t, renamed, func() person.Answer {
			return p.Patch(t, "/api/v1/rooms/"+room, map[string]any{"name": fmt.Sprintf("room %d", n)})
		}).Is(t, http.StatusOK)
	}
}

// call makes an HTTP call until its answer is no passing error.
func (l *load) call(t *testing.T, what string, once func() person.Answer) person.Answer {
	began := time.Now()
	for {
		answer := once()
		switch answer.Status {
		case http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
			l.failed(what, decode[person.Problem](t, answer.Body).Code)
		default:
			l.done(what, began)
			return answer
		}
		if time.Since(began) > callWithin {
			return answer
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// pause waits for the next turn; false means that there is none.
func pause(ctx context.Context) bool {
	turn := time.NewTimer(loadPause)
	defer turn.Stop()
	select {
	case <-turn.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (l *load) done(what string, began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.of(what)
	o.done++
	o.longest = max(o.longest, time.Since(began))
}

func (l *load) failed(what, code string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(what).errors[code]++
}

// of is called with the lock held.
func (l *load) of(what string) *outcomes {
	if l.seen[what] == nil {
		l.seen[what] = &outcomes{errors: map[string]int{}}
	}
	return l.seen[what]
}
