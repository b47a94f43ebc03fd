package gateway

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
)

// localUser is a user with connections to this gateway.
type localUser struct {
	sub   *nats.Subscription
	live  chan struct{} // closed when the NATS server knows the subscription
	conns roster
	read  time.Time // when their rooms were last read because someone asked
}

// userShard owns the users, and the channel on which their pushes arrive. It
// is one: a user's pushes are few, and may wait for a subscription.
type userShard struct {
	pushes chan *nats.Msg

	mu    sync.RWMutex
	users map[string]*localUser
}

func newUserShard() *userShard {
	return &userShard{pushes: make(chan *nats.Msg, shardQueue), users: map[string]*localUser{}}
}

// add puts the connection to its user, subscribing when it is the first here.
// It returns the user, and whether the subscription is new.
func (s *userShard) add(nc *nats.Conn, userID string, c *conn) (*localUser, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if user, ok := s.users[userID]; ok {
		user.conns.add(c)
		return user, false, nil
	}
	subject, err := contract.UserSubjects(userID)
	if err != nil {
		return nil, false, err
	}
	sub, err := nc.ChanSubscribe(subject, s.pushes)
	if err != nil {
		return nil, false, err
	}
	user := &localUser{sub: sub, live: make(chan struct{}), conns: roster{list: []*conn{c}}}
	s.users[userID] = user
	return user, true, nil
}

// remove takes the connection from its user, and drops the subscription with
// the last.
func (s *userShard) remove(userID string, c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user, ok := s.users[userID]
	if !ok {
		return
	}
	user.conns.remove(c)
	if len(user.conns.list) == 0 {
		delete(s.users, userID)
		_ = user.sub.Unsubscribe() // fails only when the connection is closed
	}
}

// noteRead notes when the user's rooms were read.
func (s *userShard) noteRead(userID string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if user, ok := s.users[userID]; ok {
		user.read = at
	}
}

// readSince reports whether that was after a time.
func (s *userShard) readSince(userID string, since time.Time) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	user, ok := s.users[userID]
	return ok && user.read.After(since)
}

// conns lists the user's connections here.
func (s *userShard) conns(userID string) []*conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	user, ok := s.users[userID]
	if !ok {
		return nil
	}
	return user.conns.copied()
}

// ids lists the users with connections here.
func (s *userShard) ids() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]string, 0, len(s.users))
	for id := range s.users {
		list = append(list, id)
	}
	return list
}
