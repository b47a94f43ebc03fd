package main

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// forgetful has every call carried out, and loses the first answer to each
// path: the caller is told to come again.
type forgetful struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (f *forgetful) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(request)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil || f.seen[request.URL.Path] {
		return answer, err
	}
	f.seen[request.URL.Path] = true
	_ = answer.Body.Close()
	answer.StatusCode, answer.Body = http.StatusGatewayTimeout, io.NopCloser(strings.NewReader(`{"code":"unavailable"}`))
	return answer, nil
}

// testLostAnswers registers and befriends where each first answer is lost.
func testLostAnswers(t *testing.T, from *town) {
	people := newTown(from.urls, from.mail, t.Logf)
	for _, a := range people.gateways {
		a.http.Transport = &forgetful{seen: map[string]bool{}}
	}
	two, err := people.citizens(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	direct, err := people.befriend(t.Context(), two[0], two[1])
	if err != nil {
		t.Fatal(err)
	}
	id := newClientID(1, 0, 1, 0)
	if sent, err := two[1].say(t.Context(), direct, id, "hello"); err != nil || sent.Seq != 1 {
		t.Errorf("the second says %+v, %v in %q", sent, err, direct)
	}
	rooms, err := people.groups(t.Context(), [][]*account{two})
	if err != nil || len(rooms) != 1 || rooms[0] == "" {
		t.Errorf("groups %q, %v", rooms, err)
	}
}
