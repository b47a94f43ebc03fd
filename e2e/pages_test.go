package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
)

// pages opens what a visitor's browser and an operator's tools open.
func pages(t *testing.T, s *system.System) {
	home := fetch(t, s.URLs[0]+"/", http.StatusOK)
	if !strings.Contains(home, "Parley") {
		t.Fatalf("the first page is %s", home)
	}
	docs := fetch(t, s.URLs[0]+"/docs", http.StatusOK)
	for _, text := range []string{home, docs} {
		for _, elsewhere := range []string{`src="http`, `href="http`, `src="//`} {
			if strings.Contains(text, elsewhere) && !strings.Contains(text, `href="http://127.0.0.1`) {
				t.Errorf("a page reaches outside: %s", text)
			}
		}
	}
	answer := api().Call(t, http.MethodGet, s.URLs[1], "/.well-known/jwks.json", "", nil).Is(t, http.StatusOK)
	if keys := person.Decode[contract.JWKS](t, answer); len(keys.Keys) == 0 || keys.Keys[0].Kty != "OKP" {
		t.Fatalf("keys %+v", keys)
	}
	fetch(t, s.URLs[0]+"/nothing", http.StatusNotFound)
	for _, p := range s.All() {
		fetch(t, p.Ops+"/healthz", http.StatusOK)
		fetch(t, p.Ops+"/readyz", http.StatusOK)
		if metrics := fetch(t, p.Ops+"/metrics", http.StatusOK); p != s.NATS && p != s.Redis && !strings.Contains(metrics, "parley_") {
			t.Errorf("%s has no metrics of its own", p.Name)
		}
	}
}

func fetch(t *testing.T, url string, status int) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Fatalf("%s answered %s: %s", url, response.Status, body)
	}
	return string(body)
}
