package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/mongodb/mongotest"
)

// TestBackup backs a system up that people talk on, and restores it as
// docs/operations.md says: every message that was acknowledged before is there.
func TestBackup(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		alone := system.StartAlone(t, "MONGO_URI=")
		into := filepath.Join(t.TempDir(), "backups", "today")
		backup := func() error { return alone.Backup(t.Context(), into) }
		backedUp(t, alone, backup, func(t *testing.T) {
			if err := alone.Backup(t.Context(), into); err == nil {
				t.Error("a second backup wrote over the first")
			}
			if err := os.Rename(alone.Data, alone.Data+".broken"); err != nil {
				t.Fatal(err)
			}
			command(t, "cp", "-a", into, alone.Data)
		})
	})
	t.Run("MongoDB", func(t *testing.T) {
		for _, tool := range []string{"mongodump", "mongorestore"} {
			if _, err := exec.LookPath(tool); err != nil {
				t.Skipf("%s is not installed (MongoDB Database Tools)", tool)
			}
		}
		var env []string
		stores := map[string]string{}
		order := []string{"social", "chat", "auth"}
		for _, service := range order {
			stores[service] = mongotest.URI(t)
			env = append(env, strings.ToUpper(service)+"_STORE="+stores[service])
		}
		alone := system.StartAlone(t, env...)
		dir := t.TempDir()
		archive := func(service string) string { return "--archive=" + filepath.Join(dir, service) }
		backup := func() error {
			for _, service := range order {
				out, err := exec.CommandContext(t.Context(), "mongodump", "--uri="+stores[service], archive(service)).CombinedOutput()
				if err != nil {
					return fmt.Errorf("mongodump: %w\n%s", err, out)
				}
			}
			return nil
		}
		backedUp(t, alone, backup, func(t *testing.T) {
			for _, service := range order {
				command(t, "mongorestore", "--uri="+stores[service], "--drop", archive(service))
			}
		})
	})
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// backedUp talks, backs up while it goes on talking, loses everything, restores
// and looks.
func backedUp(t *testing.T, alone *system.Alone, backup func() error, restore func(*testing.T)) {
	t.Helper()
	ann := person.New(t, api(), alone.URLs[0], "ann", alone.Code(alone.Codes(t)))
	bob := person.New(t, api(), alone.URLs[1], "bob", alone.Code(alone.Codes(t)))
	direct := ann.Befriend(t, bob)
	group := ann.Group(t, "talk", bob).ID
	said := map[string][]string{}
	say := func(room string) {
		text := fmt.Sprint("word ", len(said[room]))
		ann.Send(t, room, id.New(), text).Is(t, http.StatusCreated)
		said[room] = append(said[room], text)
	}
	for range 40 {
		say(direct)
		say(group)
	}
	before := map[string]int{direct: len(said[direct]), group: len(said[group])}

	done := make(chan error, 1)
	go func() { done <- backup() }() // ends by itself, joined below
	for running := true; running; {
		say(direct)
		say(group)
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
	}
	after := person.New(t, api(), alone.URLs[0], "cem", alone.Code(alone.Codes(t)))
	say(direct)

	alone.Interrupt(t)
	restore(t)
	alone.Restart(t)

	bob = bob.Login(t, alone.URLs[0], "after the restore")
	for room, least := range before {
		log := bob.History(t, room)
		if len(log) < least || len(log) > len(said[room]) {
			t.Fatalf("%d messages are back, of %d before the backup and %d in all", len(log), least, len(said[room]))
		}
		for i, m := range log {
			if m.Seq != int64(i+1) || m.Content.Text != said[room][i] || m.SenderID != ann.ID {
				t.Fatalf("message %d is %+v, want %q", i+1, m, said[room][i])
			}
		}
		sent := person.Decode[contract.Message](t, ann.Send(t, room, id.New(), "and on").Is(t, http.StatusCreated)) // her token is good, too
		if sent.Seq != int64(len(log)+1) {
			t.Errorf("the next is %d after %d", sent.Seq, len(log))
		}
	}
	if len(bob.History(t, direct)) == len(said[direct])+1 {
		t.Error("what came after the backup is there: nothing was lost, so nothing was shown")
	}
	after.Post(t, "/api/v1/auth/login", map[string]any{"account": after.Account, "password": person.Password}).Is(t, http.StatusUnauthorized)
}
