package e2e

import (
	"encoding/json"
	"testing"
	"time"
)

// patience is how long anything may take that a test waits for.
const patience = 30 * time.Second

func decode[T any](t *testing.T, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("decode %s: %v", data, err)
	}
	return v
}

// send is the data of message.send.
func send(roomID, clientID, text string) map[string]any {
	return map[string]any{"room_id": roomID, "client_id": clientID, "type": "text", "content": map[string]any{"text": text}}
}
