// Package mongotest gives tests of MongoDB stores a database of their own on
// the server that MONGO_URI names.
package mongotest

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/mongodb"
)

// timeout bounds reaching the server, and dropping the database.
const timeout = 15 * time.Second

// URI returns MONGO_URI with a fresh database as its path, which is dropped
// when the test ends. It skips the test when MONGO_URI is not set, and fails
// it when that server does not answer.
func URI(t testing.TB) string {
	t.Helper()
	server := os.Getenv("MONGO_URI")
	if server == "" {
		t.Skip("MONGO_URI is not set")
	}
	uri := WithDatabase(server, "parley_test_"+id.New())
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	db, err := mongodb.Connect(ctx, uri, "")
	if err != nil {
		t.Fatalf("MONGO_URI is set, but: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := db.Drop(ctx); err != nil {
			t.Errorf("drop test database: %v", err)
		}
		if err := db.Close(ctx); err != nil {
			t.Errorf("close test database: %v", err)
		}
	})
	return uri
}

// Open opens a fresh database as URI does, and closes it when the test ends.
func Open(t testing.TB) *mongodb.DB {
	t.Helper()
	return Connect(t, URI(t))
}

// Connect opens the database of a URI that URI has returned, as another
// process would, and closes it when the test ends.
func Connect(t testing.TB, uri string) *mongodb.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	db, err := mongodb.Connect(ctx, uri, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return db
}

// WithDatabase puts a database into a URI's path. Users are still looked up
// where the URI had them looked up before.
func WithDatabase(uri, name string) string {
	scheme, rest, _ := strings.Cut(uri, "://")
	rest, query, _ := strings.Cut(rest, "?")
	hosts, old, _ := strings.Cut(rest, "/")
	if strings.Contains(hosts, "@") && !strings.Contains(strings.ToLower(query), "authsource=") {
		if old == "" {
			old = "admin"
		}
		if query != "" {
			query += "&"
		}
		query += "authSource=" + old
	}
	uri = scheme + "://" + hosts + "/" + name
	if query != "" {
		uri += "?" + query
	}
	return uri
}
