package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// TestStandalone is the README: one command, a first conversation, Ctrl-C,
// and all of it is still there.
func TestStandalone(t *testing.T) {
	alone := system.StartAlone(t)

	t.Run("the first conversation", func(t *testing.T) {
		script := exec.CommandContext(t.Context(), "bash", "../docs/first-conversation.sh", alone.URLs[0], alone.URLs[1])
		script.Env = append(os.Environ(), "PARLEY_LOG="+alone.LogFile)
		out, err := script.CombinedOutput()
		if err != nil || strings.Count(string(out), "hello, bob") != 3 { // the answer, the push, the history
			t.Fatalf("%v\n%s", err, out)
		}
	})

	ann := person.New(t, api(), alone.URLs[0], "ann", alone.Code(alone.Codes(t)))
	bob := person.New(t, api(), alone.URLs[1], "bob", alone.Code(alone.Codes(t)))
	room := ann.Befriend(t, bob)
	var watched *nats.Subscription

	t.Run("the observer watches without a password", func(t *testing.T) {
		nc, err := nats.Connect("nats://" + alone.NATSAddr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		if watched, err = nc.SubscribeSync("im.room.>"); err != nil {
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
		socket := bob.Dial(t)
		ann.Send(t, room, id.New(), "seen by all").Is(t, http.StatusCreated)
		person.Push(t, socket, contract.MessagePushed.Op, func(m contract.Message) bool { return m.Content.Text == "seen by all" })
		for {
			m, err := watched.NextMsg(patience)
			if err != nil {
				t.Fatalf("no message seen: %v", err)
			}
			if strings.HasSuffix(m.Subject, ".message") && strings.Contains(string(m.Data), "seen by all") {
				break
			}
		}
	})

	t.Run("Ctrl-C and a new start", func(t *testing.T) {
		alone.Interrupt(t)
		alone.Restart(t)
		if log := bob.History(t, room); len(log) != 1 || log[0].Content.Text != "seen by all" {
			t.Fatalf("history %+v", log)
		}
		bob.Login(t, alone.URLs[0], "again")
		sent := person.Decode[contract.Message](t, ann.Send(t, room, id.New(), "and on it goes").Is(t, http.StatusCreated))
		if sent.Seq != 2 {
			t.Fatalf("sent %+v", sent)
		}
	})
}
