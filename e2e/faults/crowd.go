package faults

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/fault"
)

// Crowd is a cast at work: everyone listens on one or two devices, and sends
// into their rooms.
type Crowd struct {
	*Cast
	o       Options
	ledger  *Ledger
	log     *slog.Logger // of clients
	devices map[*User][]*Device
	work    sync.WaitGroup // senders, and what they have in hand
	busy    atomic.Int64   // how many of these there are

	mu    sync.Mutex // guards the rooms of users once people talk
	trips map[fault.Code]int
}

const (
	// inHand is how many messages one user sends at once: more wait unsent.
	inHand = 4
	// longText is the characters of one text in five: enough for who does not
	// read to be too slow soon, and little enough for a page to fit.
	longText = 400
	// restless is how long one device in seven stays connected.
	restless = 12 * time.Second
)

// NewCrowd gives everyone a device, and one in twelve a second one with a
// session of its own. It logs in, but does not connect.
func NewCrowd(ctx context.Context, cast *Cast, o Options, ledger *Ledger, log *slog.Logger) (*Crowd, error) {
	c := &Crowd{Cast: cast, o: o, ledger: ledger, log: log, devices: map[*User][]*Device{}, trips: map[fault.Code]int{}}
	for i, u := range cast.Users {
		phone := c.add(u, "phone", u.session)
		if i%7 == 3 {
			phone.stay = restless
		}
		if i%12 == 5 {
			session, err := client.Login(ctx, cast.World.URLs, u.Account, person.Password, "desk")
			if err != nil {
				return nil, fmt.Errorf("log in: %w", err)
			}
			c.add(u, "desk", session)
		}
	}
	return c, nil
}

func (c *Crowd) add(u *User, name string, tokens client.TokenSource) *Device {
	d := &Device{
		Name: u.Name + "/" + name, User: u, tokens: tokens, urls: c.World.URLs, ledger: c.ledger, changed: make(chan struct{}),
	}
	d.log = c.log.With("device", d.Name)
	d.random = c.rand(d.Name)
	c.devices[u] = append(c.devices[u], d)
	return d
}

// rand is a source of its own for everyone, which follows from the seed.
func (c *Crowd) rand(name string) *rand.Rand {
	stream := uint64(2)
	for _, b := range []byte(name) {
		stream = stream*31 + uint64(b)
	}
	return rand.New(rand.NewPCG(c.o.Seed, stream))
}

// Devices are all devices.
func (c *Crowd) Devices() []*Device {
	var list []*Device
	for _, u := range c.Users {
		list = append(list, c.devices[u]...)
	}
	return list
}

// Talk has everyone send until talking ends; what is in hand then goes on
// until lasting ends. fail is told what must not be.
func (c *Crowd) Talk(talking, lasting context.Context, fail func(error)) {
	speakers := c.Users[:len(c.Users)-churners]
	mean := time.Duration(float64(len(speakers)) / c.o.Sends * float64(time.Second))
	for _, u := range speakers {
		c.begin(func() { c.talk(talking, lasting, u, mean, fail) }) // ended by talking
	}
	for _, v := range c.Venues {
		for _, i := range v.Late {
			c.begin(func() { c.join(lasting, v, c.Users[i], fail) }) // ended by its success, or by lasting
		}
	}
}

// begin runs a part of the work.
func (c *Crowd) begin(f func()) {
	c.busy.Add(1)
	c.work.Go(func() {
		defer c.busy.Add(-1)
		f()
	})
}

// Busy is how much of what Talk and Churn have begun has not ended.
func (c *Crowd) Busy() int64 { return c.busy.Load() }

// Wait waits for all of it.
func (c *Crowd) Wait() { c.work.Wait() }

// talk is one user, who sends from all of their devices.
func (c *Crowd) talk(talking, lasting context.Context, u *User, mean time.Duration, fail func(error)) {
	random := c.rand(u.Name)
	slots := make(chan struct{}, inHand)
	for n := 0; sleep(talking, time.Duration(random.ExpFloat64()*float64(mean))); n++ {
		text := fmt.Sprintf("%s says %d", u.Name, n)
		if random.IntN(5) == 0 {
			text += " " + strings.Repeat("long ", longText/5)
		}
		device, removes, reads := c.devices[u][random.IntN(len(c.devices[u]))], random.IntN(30) == 0, random.IntN(10) == 0
		c.mu.Lock()
		rooms := u.rooms
		c.mu.Unlock()
		if len(rooms) == 0 {
			continue
		}
		roomID, clientID := rooms[random.IntN(len(rooms))].ID, fmt.Sprintf("%s-%d", u.Name, n)
		select {
		case slots <- struct{}{}:
		default:
			continue // enough waits for an answer
		}
		c.begin(func() { // ended by its acknowledgement, or by lasting; as many as there are slots
			defer func() { <-slots }()
			reply, err := device.Send(lasting, roomID, clientID, text)
			if err != nil {
				fail(fmt.Errorf("a member's message is refused: %w", err))
			}
			if reply != nil && (removes || reads) {
				device.touch(talking, roomID, reply.Seq, removes)
			}
		})
	}
}

// touch removes a message, or has it be read; whatever comes of it.
func (d *Device) touch(ctx context.Context, roomID string, seq int64, remove bool) {
	ctx, cancel := context.WithTimeout(ctx, silentCall)
	defer cancel()
	c, err := d.live(ctx)
	switch {
	case err != nil:
	case remove:
		_ = c.Remove(ctx, roomID, seq)
	default:
		_ = c.SetRead(ctx, roomID, seq)
	}
}

// join has a venue's owner let someone in, in the first half of the run.
func (c *Crowd) join(ctx context.Context, v *Venue, u *User, fail func(error)) {
	random := c.rand(v.Name + u.Name)
	sleep(ctx, between(random, time.Second, max(2*time.Second, c.o.Duration/2)))
	owner := c.Users[v.Owner]
	for ctx.Err() == nil {
		err := owner.try(ctx, http.MethodPost, "/rooms/"+v.ID+"/members", map[string]any{"user_ids": []string{u.ID}}, nil)
		if err == nil {
			c.mu.Lock()
			u.rooms = append(u.rooms[:len(u.rooms):len(u.rooms)], v)
			c.mu.Unlock()
			return
		}
		// A replica of auth whose clock is ahead signs tokens of tomorrow.
		if code := codeOf(err); code != "" && code != fault.Unauthenticated && !code.Temporary() {
			fail(fmt.Errorf("an owner may not add a friend: %w", err))
			return
		}
		sleep(ctx, 300*time.Millisecond)
	}
}

// try makes one call, for as long as calls last in a run.
func (u *User) try(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 2*silentCall)
	defer cancel()
	return u.session.Do(ctx, method, path, in, out)
}
