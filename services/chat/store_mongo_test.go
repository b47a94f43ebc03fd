package chat

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/parley-im/parley/pkg/id"
)

// The last messages of many rooms are one step a room along the index. Where
// the server did not plan so, it would read all messages of all of them.
func TestMongo_last_messages_are_a_distinct_scan(t *testing.T) {
	server := os.Getenv("MONGO_URI")
	if server == "" {
		t.Skip("MONGO_URI is not set, and FerretDB has no query plans")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("MONGO_URI is not a URL")
	}
	u.Path = "/chat_test_" + id.New()
	store, err := openMongo(context.Background(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	rooms := make([]string, 50)
	for i := range rooms {
		rooms[i] = fmt.Sprint("room-", i)
		fill(t, store, rooms[i], 20)
	}
	plan, err := store.messages.Database().RunCommand(within(t), bson.D{
		{Key: "explain", Value: bson.D{
			{Key: "aggregate", Value: store.messages.Name()},
			{Key: "pipeline", Value: lastPipeline(rooms)},
			{Key: "cursor", Value: bson.D{}},
		}},
		{Key: "verbosity", Value: "queryPlanner"},
	}).Raw()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan.String(), "DISTINCT_SCAN") {
		t.Fatalf("the plan has no DISTINCT_SCAN: %s", plan)
	}
}
