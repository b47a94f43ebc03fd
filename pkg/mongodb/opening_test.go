package mongodb

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/x/mongo/driver/auth"

	"github.com/parley-im/parley/pkg/schema"
)

func TestOpening(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool // another try may succeed
	}{
		"no error":                   {nil, false},
		"a deadlock of the engine":   {mongo.CommandError{Code: 1, Message: "deadlock detected"}, true},
		"a server that steps down":   {mongo.CommandError{Code: 189}, true},
		"no server":                  {mongo.CommandError{Labels: []string{"NetworkError"}}, true},
		"an index of another form":   {mongo.CommandError{Code: 85}, false},
		"duplicates under an index":  {mongo.CommandError{Code: 11000}, false},
		"no right to read":           {mongo.CommandError{Code: 13}, false},
		"a wrong password":           {fmt.Errorf("handshake: %w", &auth.Error{}), false},
		"a database of a newer kind": {errors.New("open database: of schema version 3"), false},
	} {
		err := c.err
		if err != nil {
			err = AsFault(fmt.Errorf("make indexes: %w", err))
		}
		if got := errors.Is(opening(t.Context(), err), schema.ErrNotNow); got != c.want {
			t.Errorf("%s: try again %v, want %v", name, got, c.want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if errors.Is(opening(ended, mongo.CommandError{Code: 189}), schema.ErrNotNow) {
		t.Error("a start that was given up is tried again")
	}
}
