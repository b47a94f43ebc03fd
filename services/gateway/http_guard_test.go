package gateway

import (
	"net/http"
	"strings"
	"testing"
)

// TestHTTP_every_answer_is_guarded asks all routes, well and badly: each answer
// has the headers that keep a browser from misusing it.
func TestHTTP_every_answer_is_guarded(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.TrustedProxies = []string{"127.0.0.1"} })
	bearer := "Bearer " + w.token(t, "ann", "s1")
	var asked [][]string
	for _, r := range (&api{}).routes() {
		path := strings.NewReplacer(":id", "r1", ":user_id", "bob", ":seq", "1", ":file", "openapi.yaml").Replace(r.path)
		asked = append(asked, []string{r.method, path}, []string{r.method, path, "Authorization", bearer})
	}
	asked = append(asked,
		[]string{"GET", "/nothing"}, []string{"BREW", "/"}, []string{"DELETE", "/"}, []string{"HEAD", "/"}, []string{"OPTIONS", "/api/v1/rooms"},
		[]string{"GET", socketPath}, []string{"GET", "/api/v1/rooms", "Origin", "https://evil.example"}, []string{"GET", "/", "X", strings.Repeat("a", 5000)})
	for _, ask := range asked {
		status, header, _ := w.do(t, ask[0], ask[1], "", append([]string{"X-Forwarded-Proto", "https"}, ask[2:]...)...)
		for _, h := range guards {
			if got := header.Get(h[0]); got != h[1] && (h[0] != "Content-Security-Policy" || !strings.HasPrefix(got, "default-src 'none'")) {
				t.Errorf("%s %s: %d with %s %q", ask[0], ask[1], status, h[0], got)
			}
		}
		if header.Get("X-Request-Id") == "" || header.Get("Server") != "" {
			t.Errorf("%s %s: %d with %v", ask[0], ask[1], status, header)
		}
		if strings.HasPrefix(ask[1], apiPrefix) && header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s may be stored: %v", ask[0], ask[1], header)
		}
		if status != http.StatusRequestHeaderFieldsTooLarge && header.Get("Strict-Transport-Security") != "max-age=31536000; includeSubDomains" {
			t.Errorf("%s %s: no Strict-Transport-Security over TLS", ask[0], ask[1])
		}
	}
	if _, header, _ := w.do(t, "GET", "/", ""); header.Get("Strict-Transport-Security") != "" {
		t.Error("Strict-Transport-Security without TLS")
	}
}

// Whoever is not a trusted proxy can't claim TLS.
func TestHTTP_no_HSTS_on_a_strangers_word(t *testing.T) {
	w := newWorld(t, nil)
	if _, header, _ := w.do(t, "GET", "/", "", "X-Forwarded-Proto", "https"); header.Get("Strict-Transport-Security") != "" {
		t.Error("believed")
	}
}
