package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// TestParleyctl_erase exports and then erases one of two who talk: the rooms'
// numbers stay whole, and what the other wrote stays readable.
func TestParleyctl_erase(t *testing.T) {
	t.Parallel()
	alone := system.StartAlone(t)
	ann := person.New(t, api(), alone.URLs[0], "ann", alone.Code(alone.Codes(t)))
	bob := person.New(t, api(), alone.URLs[1], "bob", alone.Code(alone.Codes(t)))
	rooms := []string{ann.Befriend(t, bob), ann.Group(t, "club", bob).ID}
	const each = 30
	var written []contract.Message
	for n := range each {
		for _, room := range rooms {
			written = append(written, person.Decode[contract.Message](t, bob.Send(t, room, id.New(), fmt.Sprintf("bob's %d", n)).Is(t, http.StatusCreated)))
			ann.Send(t, room, id.New(), fmt.Sprintf("ann's %d", n)).Is(t, http.StatusCreated)
		}
	}

	t.Run("export", func(t *testing.T) { exportOf(t, alone, bob, written, rooms) })
	t.Run("erase", func(t *testing.T) {
		done := ctlJSON[struct {
			UserID string         `json:"user_id"`
			Erased map[string]int `json:"erased"`
		}](t, alone.Data, "erase", bob.Account, "--reason", "asked to", "--yes")
		if done.UserID != bob.ID || done.Erased["chat"] < len(written) || done.Erased["social"] < 2 {
			t.Errorf("got %+v", done)
		}
	})
	t.Run("histories stay whole", func(t *testing.T) {
		gone := map[string]bool{}
		for _, m := range written {
			gone[m.ClientID] = true
		}
		log := ann.History(t, rooms[1])
		for i, m := range log {
			if m.Seq != int64(i+1) {
				t.Fatalf("number %d is in the place of %d", m.Seq, i+1)
			}
			switch {
			case m.SenderID == bob.ID && (m.RemovedAt == nil || m.RemovedBy != contract.RemovedByAdmin || m.Content.Text != "" || !gone[m.ClientID]):
				t.Errorf("left of bob's: %+v", m)
			case m.SenderID == ann.ID && (m.RemovedAt != nil || !strings.HasPrefix(m.Content.Text, "ann's")):
				t.Errorf("ann's: %+v", m)
			}
		}
		if len(log) != 2*each {
			t.Errorf("%d messages, want %d", len(log), 2*each)
		}
	})
	t.Run("nobody knows them", func(t *testing.T) {
		bob.Get(t, "/api/v1/users/me").Refused(t, "unauthenticated")
		bob.Post(t, "/api/v1/auth/login", map[string]any{"account": bob.Account, "password": person.Password}).Refused(t, "unauthenticated")
		u := ctlJSON[contract.AdminUser](t, alone.Data, "users", "show", bob.ID)
		if u.ErasedAt == nil || u.DisabledAt == nil || u.Account != "" || u.Email != "" || u.Nickname != "" || len(u.Sessions) > 0 {
			t.Errorf("shown as %+v", u)
		}
		if _, status := parleyctl(t, alone.Data, "users", "show", bob.Account); status != 3 {
			t.Errorf("by account: status %d", status)
		}
		if out, status := parleyctl(t, alone.Data, "users", "enable", bob.ID); status != 4 {
			t.Errorf("enabled: status %d, %s", status, out)
		}
		members := ctlJSON[contract.MemberPage](t, alone.Data, "rooms", "members", rooms[1])
		if len(members.Items) != 1 || members.Items[0].UserID != ann.ID {
			t.Errorf("members are %+v", members)
		}
	})
	t.Run("erased once more", func(t *testing.T) {
		if out, status := parleyctl(t, alone.Data, "erase", bob.ID, "--reason", "to be sure", "--yes"); status != 0 || !strings.Contains(out, ": 0 records of chat") {
			t.Errorf("status %d: %s", status, out)
		}
	})
}

// exportOf checks that an export has all that somebody wrote and nothing that
// others did.
func exportOf(t *testing.T, alone *system.Alone, bob *person.Person, written []contract.Message, rooms []string) {
	path := filepath.Join(t.TempDir(), "bob.jsonl")
	if out, status := parleyctl(t, alone.Data, "export", bob.Email, "--reason", "asked to", "--out", path); status != 0 {
		t.Fatalf("status %d: %s", status, out)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	texts, services := map[string]int{}, map[string]int{}
	var last struct {
		Service, Kind string
		Data          json.RawMessage
	}
	whole := ""
	for lines := bufio.NewScanner(file); lines.Scan(); {
		whole += lines.Text()
		if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
			t.Fatal(err)
		}
		services[last.Service]++
		if last.Kind == "message" {
			texts[decode[contract.Message](t, last.Data).Content.Text]++
		}
	}
	total := services["auth"] + services["social"] + services["chat"]
	if last.Kind != "end" || decode[struct{ Records int }](t, last.Data).Records != total {
		t.Errorf("it ends with %+v, of %v", last, services)
	}
	for _, m := range written {
		if texts[m.Content.Text] != len(rooms) {
			t.Errorf("%q is there %d times", m.Content.Text, texts[m.Content.Text])
		}
	}
	for _, has := range append([]string{bob.Account, bob.Email}, rooms...) {
		if !strings.Contains(whole, has) {
			t.Errorf("it lacks %s", has)
		}
	}
	if strings.Contains(whole, "ann's") || strings.Contains(whole, "argon2") {
		t.Error("it has what others wrote, or a secret")
	}
}
