package rpc

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go/micro"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/payload"
)

// Calls of a Grouped method travel together as sends do into the store: none
// waits for others to come, but while flightsAtOnce requests to a subject are
// under way, further calls wait, and leave together when one has returned. Two
// are enough for the service to have the next at hand when it has done one.
const (
	flightsAtOnce = 2
	// groupBytes bounds a group's body; a call that is larger travels alone.
	groupBytes = 256 << 10
	// patience is after how long a request no longer keeps others waiting: one
	// slow call must not hold up those that are not.
	patience = 50 * time.Millisecond
)

// groups are the calls that travel or wait to, by subject.
type groups struct {
	mu    sync.Mutex
	lanes map[string]*lane
}

// lane is one subject's; it exists while it is used.
type lane struct {
	subject string
	flying  int     // requests under way, the overdue ones aside
	waiting []*ride // bounded by the callers, each of whom waits
}

// flight is one request under way.
type flight struct {
	client *Client
	route  *route
	lane   *lane
	timer  *time.Timer
	gone   bool // under groups.mu: landed, or overdue
}

// ride is one call that waits for a place, or for its answer.
type ride struct {
	body     []byte // the caller's, until it is copied into a group
	deadline time.Time
	lane     *lane
	answers  chan answered // one long
}

// answered is what a ride comes to: the reply, or a fault.
type answered struct {
	reply jsontext.Value
	fault *fault.Error
	alone bool // the call is to be sent again by itself
}

// board gives a call leave to travel alone now, until flight.land; or a ride
// to await.
func (g *groups) board(ctx context.Context, c *Client, r *route, subject string, body []byte) (*flight, *ride) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l, ok := g.lanes[subject]
	if !ok {
		l = &lane{subject: subject}
		g.lanes[subject] = l
	}
	if l.flying < flightsAtOnce {
		return g.takeOff(c, r, l), nil
	}
	deadline, _ := ctx.Deadline()
	waits := &ride{body: body, deadline: deadline, lane: l, answers: make(chan answered, 1)}
	l.waiting = append(l.waiting, waits)
	return nil, waits
}

func (g *groups) takeOff(c *Client, r *route, l *lane) *flight {
	l.flying++
	f := &flight{client: c, route: r, lane: l}
	f.timer = time.AfterFunc(patience, f.leaveLane)
	return f
}

// land makes place for those who wait.
func (f *flight) land() {
	f.timer.Stop()
	f.leaveLane()
}

func (f *flight) leaveLane() {
	g := &f.client.groups
	g.mu.Lock()
	defer g.mu.Unlock()
	if f.gone {
		return
	}
	f.gone = true
	f.lane.flying--
	g.next(f.client, f.route, f.lane)
}

// next sends those off who wait, as far as there is place.
func (g *groups) next(c *Client, r *route, l *lane) {
	for l.flying < flightsAtOnce && len(l.waiting) > 0 {
		riders, body := l.group(r.grouped)
		f := g.takeOff(c, r, l)
		// Owned by the riders' calls, whose latest deadline ends it; there
		// are fewer of them than calls.
		go c.fly(f, riders, body)
	}
	if l.flying == 0 && g.lanes[l.subject] == l {
		delete(g.lanes, l.subject)
	}
}

// group takes the first of those who wait, as many as may go together, and
// returns the body of their request.
func (l *lane) group(most int) (riders []*ride, body []byte) {
	n, size := 0, 2
	for ; n < min(len(l.waiting), most); n++ {
		if size += len(l.waiting[n].body) + 1; n > 0 && size > groupBytes {
			break
		}
	}
	body = make([]byte, 0, size)
	for i, w := range l.waiting[:n] {
		body = append(body, "[,"[min(i, 1)])
		body = append(body, w.body...)
	}
	riders = slices.Clone(l.waiting[:n])
	l.waiting = slices.Delete(l.waiting, 0, n)
	return riders, append(body, ']')
}

// fly carries a group.
func (c *Client) fly(f *flight, riders []*ride, body []byte) {
	defer f.land()
	latest := riders[0].deadline
	for _, w := range riders {
		if w.deadline.After(latest) {
			latest = w.deadline
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), latest)
	defer cancel()
	req := c.getRequest()
	defer c.putRequest(req)
	req.msg.Subject, req.msg.Data = f.lane.subject, body
	req.msg.Header[contract.HeaderGroup] = []string{strconv.Itoa(len(riders))}
	c.metrics.group.Observe(float64(len(riders)))
	reply, broke := c.send(ctx, f.route, req)
	answers := make([]answered, len(riders))
	switch {
	case broke != nil:
		for i := range answers {
			answers[i].fault = broke
		}
	case reply.Header != nil && reply.Header.Get(micro.ErrorCodeHeader) != "":
		for i := range answers {
			answers[i].fault = remoteFault(f.route.label, reply)
		}
	default:
		readAnswers(f.route, reply.Data, answers)
	}
	for i, w := range riders {
		w.answers <- answers[i]
	}
}

// readAnswers reads what a group was answered.
func readAnswers(r *route, data []byte, into []answered) {
	var results []groupResult
	err := payload.Decode(data, &results)
	for i := range into {
		ok := err == nil && len(results) == len(into)
		switch {
		case ok && results[i].Fault != nil:
			into[i].fault, ok = readFault(r.label, results[i].Fault)
		case ok:
			into[i].reply, into[i].alone = results[i].Reply, results[i].Alone
		}
		if !ok {
			into[i].fault = fault.New(fault.Internal, "").Because(errGroupReply)
		}
	}
}

// await waits for the ride's end. A caller who leaves does not take the
// others' answers along. When alone is true, the call must be sent by itself.
func (g *groups) await(ctx context.Context, r *route, w *ride, out any) (alone bool, f *fault.Error) {
	var a answered
	select {
	case a = <-w.answers:
	case <-ctx.Done():
		g.leave(w)
		return false, fault.From(ctx.Err())
	}
	if a.alone || a.fault != nil {
		return a.alone, a.fault
	}
	return false, decodeReply(r, a.reply, out)
}

// leave has nobody touch the ride's body any more.
func (g *groups) leave(w *ride) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(w.lane.waiting, w); i >= 0 {
		w.lane.waiting = slices.Delete(w.lane.waiting, i, i+1)
	}
}
