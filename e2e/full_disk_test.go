package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/standalone/embedded"
)

// A moment without disk space is refused with a time to retry, shows in
// readiness, and heals by itself: in the stores, and in IM_EVENTS.
func TestStandalone_heals_after_a_full_disk(t *testing.T) {
	if !system.CanFillDisk {
		t.Skip("only Linux limits the files of another process")
	}
	alone := system.StartAlone(t)
	ann := person.New(t, api(), alone.URLs[0], "ann", alone.Code(alone.Codes(t)))
	bob := person.New(t, api(), alone.URLs[1], "bob", alone.Code(alone.Codes(t)))
	room := ann.Befriend(t, bob)
	ann.Send(t, room, id.New(), "before").Is(t, http.StatusCreated)
	events := listenToEvents(t, alone)

	if err := alone.FillDisk(); err != nil {
		t.Fatal(err)
	}
	clientID := id.New()
	refused := ann.Send(t, room, clientID, "while the disk is full").Is(t, http.StatusServiceUnavailable)
	if refused.Header.Get("Retry-After") == "" {
		t.Errorf("no time to retry in %v", refused.Header)
	}
	eventuallyReady(t, alone, false)

	if err := alone.EmptyDisk(); err != nil {
		t.Fatal(err)
	}
	eventuallyReady(t, alone, true)
	var sent person.Answer
	for deadline := time.Now().Add(2 * patience); ; time.Sleep(100 * time.Millisecond) {
		if sent = ann.Send(t, room, clientID, "while the disk is full"); sent.Status == http.StatusCreated {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("still refused: %+v", sent)
		}
	}
	if seq := person.Decode[contract.Message](t, sent).Seq; seq != 2 {
		t.Errorf("the message is %d, want 2", seq)
	}
	group := ann.Group(t, "made afterwards", bob)
	for {
		m, err := events.NextMsg(2 * patience)
		if err != nil {
			t.Fatalf("no event of %s came: %v", group.ID, err)
		}
		if m.Subject == "im.evt.social.group.created" {
			break
		}
	}
}

// listenToEvents hears what reaches IM_EVENTS' subjects, also after a new start
// of the NATS server.
func listenToEvents(t *testing.T, alone *system.Alone) *nats.Subscription {
	t.Helper()
	secrets, err := embedded.LoadSecrets(t.Context(), alone.Data)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect("nats://"+alone.NATSAddr, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond),
		nats.UserInfo(contract.OperatorUser, secrets.NATS[contract.OperatorUser]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	sub, err := nc.SubscribeSync(contract.AllEvents)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func eventuallyReady(t *testing.T, alone *system.Alone, want bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * patience); ; time.Sleep(100 * time.Millisecond) {
		response, err := http.Get(alone.Ops + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if (response.StatusCode == http.StatusOK) == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("ready is not %v: %s", want, response.Status)
		}
	}
}
