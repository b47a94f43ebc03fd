// Package e2e tests Parley from outside: real processes, real protocols, as
// people, operators and a crash would meet it.
package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
)

// api is shared, so that at the end it knows every call that was made.
var api = sync.OnceValue(func() *person.API {
	a, err := person.NewAPI("../docs/openapi.yaml")
	if err != nil {
		panic(err)
	}
	return a
})

func TestMain(m *testing.M) {
	status := m.Run()
	system.Cleanup()
	os.Exit(status)
}

// registerAtOnce is how many register at once: each hashes a password, and auth
// refuses whoever would wait too long for their turn on a busy machine.
const registerAtOnce = 4

// people registers persons, spread over the system's gateways.
func people(t *testing.T, s *system.System, names ...string) []*person.Person {
	t.Helper()
	list := make([]*person.Person, len(names))
	turns := make(chan struct{}, registerAtOnce)
	var wg sync.WaitGroup
	for i, name := range names {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }() // also when it ends the goroutine
			list[i] = person.New(t, api(), s.URLs[i%len(s.URLs)], name, s.Code)
		})
	}
	wg.Wait()
	if slices.Contains(list, nil) {
		t.FailNow() // who could not register has said why
	}
	return list
}

// numbered makes names.
func numbered(name string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s%d", name, i)
	}
	return names
}

// long is a text of n characters of three bytes each.
func long(n int) string { return strings.Repeat("好", n) }
