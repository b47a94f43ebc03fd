package auth_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/pkg/contract"
)

// stream is what lies in IM_EVENTS, in order.
type stream struct{ sub *nats.Subscription }

// events listens to what is relayed from now on.
func (w *world) events() *stream {
	w.t.Helper()
	sub, err := w.nc.SubscribeSync(contract.AllEvents)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.nc.Flush(); err != nil {
		w.t.Fatal(err)
	}
	return &stream{sub}
}

// next waits for an event of the type and user, passing over others.
func (s *stream) next(t *testing.T, kind, userID string) {
	t.Helper()
	for {
		msg, err := s.sub.NextMsg(20 * time.Second)
		if err != nil {
			t.Fatalf("wait for %s: %v", kind, err)
		}
		var body contract.EventBody[contract.SessionEvent]
		if err := json.Unmarshal(msg.Data, &body); err != nil {
			t.Fatal(err)
		}
		if body.Type == kind && body.Data.UserID == userID {
			return
		}
	}
}

func TestEvents_reach_the_stream(t *testing.T) {
	w := newWorld(t)
	w.start()
	events := w.events()
	ann := w.register("ann")
	events.next(t, "auth.user.registered", ann.User.ID)
	events.next(t, "auth.session.created", ann.User.ID)
	name := "Ann"
	must(w, contract.UpdateMe, contract.UpdateMeRequest{Caller: caller(ann), Nickname: &name})
	events.next(t, "auth.user.updated", ann.User.ID)
	w.login("ann", password)
	events.next(t, "auth.session.created", ann.User.ID)
	must(w, contract.ChangePassword, contract.ChangePasswordRequest{Caller: caller(ann), OldPassword: password, NewPassword: "a new password"})
	events.next(t, "auth.password.changed", ann.User.ID)
	events.next(t, "auth.session.ended", ann.User.ID)
	js, err := jetstream.New(w.nc)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		s, err := js.Stream(t.Context(), contract.StreamName)
		return err == nil && s.CachedInfo().State.Msgs == 6
	})
}
