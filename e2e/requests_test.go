package e2e

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// When chat's store fails, the lines of chat and of the gateway about it have
// the request's id in common, which the client was told.
func TestLogs_of_one_request(t *testing.T) {
	store := filepath.Join(t.TempDir(), "chat.db")
	s := system.Start(t, system.Options{Gateways: 1, Replicas: 1, Env: []string{
		"CHAT_STORE=sqlite:" + store, "CHAT_RECENT_MESSAGES=0", "GATEWAY_LOG_LEVEL=debug",
	}})
	list := people(t, s, "ann", "bob")
	room := list[0].Befriend(t, list[1])
	list[0].Send(t, room, id.New(), "hello").Is(t, http.StatusCreated)
	socket := list[0].Dial(t)
	breakStore(t, store)

	problem := list[0].Getf(t, "/api/v1/rooms/%s/messages?after_seq=0", room).Refused(t, "unavailable")
	inChat, inGateway := lines(t, s.Chat[0], problem.RequestID), lines(t, s.Gateways[0], problem.RequestID)
	if !slices.Contains(inChat, "the store could not be asked") || !slices.Contains(inGateway, "request") {
		t.Fatalf("of request %s chat says %q, the gateway %q", problem.RequestID, inChat, inGateway)
	}

	// A frame's id is its connection's, and its number there. Chat says the
	// same thing once a second only.
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		socket.Refused(t, "unavailable", contract.OpMessagesGet, map[string]any{"room_id": room, "after_seq": 0})
		if strings.Contains(s.Chat[0].Log(), `"request_id":"`+socket.Ready.ConnectionID+".") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("chat says nothing about frames of %s", socket.Ready.ConnectionID)
		}
	}
}

// breakStore takes a table out of chat's store under its feet.
func breakStore(t *testing.T, path string) {
	t.Helper()
	// Opened past pkg/sqlite, which refuses a schema that it does not know.
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `ALTER TABLE messages RENAME TO gone`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// lines are what the process logs about a request, once it has.
func lines(t *testing.T, p *system.Process, request string) []string {
	t.Helper()
	var found []string
	for deadline := time.Now().Add(patience); len(found) == 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for line := range strings.Lines(p.Log()) {
			var record struct {
				Msg       string `json:"msg"`
				RequestID string `json:"request_id"`
			}
			if json.Unmarshal([]byte(line), &record) == nil && record.RequestID == request {
				found = append(found, record.Msg)
			}
		}
	}
	return found
}
