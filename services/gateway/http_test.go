package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/telemetry"
)

// do makes one request and returns the status, the header and the body.
func (w *world) do(t *testing.T, method, path, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(data)
}

func TestHTTP_refusals_are_problems(t *testing.T) {
	w := newWorld(t, nil)
	bearer := "Bearer " + w.token(t, "ann", "s1")
	const login = "/api/v1/auth/login"
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	for name, c := range map[string]struct {
		method, path, body string
		header             []string
		status             int
		code               fault.Code
		field              string
	}{
		"no such page":        {"GET", "/nothing", "", nil, 404, fault.NotFound, ""},
		"a wrong method":      {"DELETE", login, "", nil, 405, fault.InvalidArgument, ""},
		"an unknown method":   {"BREW", login, "", nil, 405, fault.InvalidArgument, ""},
		"no body":             {"POST", login, "", nil, 400, fault.InvalidArgument, ""},
		"no JSON":             {"POST", login, "hello", nil, 400, fault.InvalidArgument, ""},
		"a list":              {"POST", login, "[]", nil, 400, fault.InvalidArgument, ""},
		"two objects":         {"POST", login, "{}{}", nil, 400, fault.InvalidArgument, ""},
		"a wrong type":        {"POST", login, `{"account":7}`, nil, 400, fault.InvalidArgument, "account"},
		"a name twice":        {"POST", login, `{"account":"a","Account":"b"}`, nil, 400, fault.InvalidArgument, "Account"},
		"not UTF-8":           {"POST", login, "{\"account\":\"\xff\"}", nil, 400, fault.InvalidArgument, ""},
		"a deep body":         {"POST", login, deep, nil, 400, fault.InvalidArgument, ""},
		"another type":        {"POST", login, `{}`, []string{"Content-Type", "text/plain"}, 400, fault.InvalidArgument, ""},
		"a large body":        {"POST", login, `{"account":"` + strings.Repeat("a", 1<<20) + `"}`, nil, 413, fault.PayloadTooLarge, ""},
		"no token":            {"GET", "/api/v1/rooms", "", nil, 401, fault.Unauthenticated, ""},
		"a bad token":         {"GET", "/api/v1/rooms", "", []string{"Authorization", "Bearer nonsense"}, 401, fault.Unauthenticated, ""},
		"another scheme":      {"GET", "/api/v1/rooms", "", []string{"Authorization", "Basic YTpi"}, 401, fault.Unauthenticated, ""},
		"a bad limit":         {"GET", "/api/v1/rooms?limit=0", "", []string{"Authorization", bearer}, 400, fault.InvalidArgument, "limit"},
		"an unsafe room":      {"GET", "/api/v1/rooms/a.%3E/messages", "", []string{"Authorization", bearer}, 404, fault.NotFound, ""},
		"a page of elsewhere": {"GET", "/api/v1/rooms", "", []string{"Authorization", bearer, "Origin", "https://evil.example"}, 403, fault.PermissionDenied, ""},
		"no upgrade":          {"GET", socketPath, "", nil, 400, fault.InvalidArgument, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, header, body := w.do(t, c.method, c.path, c.body, append([]string{"X-Request-Id", "r-1"}, c.header...)...)
			var p problem
			if err := json.Unmarshal([]byte(body), &p); err != nil {
				t.Fatalf("%d %s", status, body)
			}
			if status != c.status || p.Status != c.status || p.Code != c.code || p.RequestID != "r-1" || header.Get("X-Request-Id") != "r-1" ||
				header.Get("Content-Type") != "application/problem+json" || header.Get("X-Content-Type-Options") != "nosniff" {
				t.Fatalf("%d %v %s", status, header, body)
			}
			if c.field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != c.field) {
				t.Fatalf("errors %+v, want one on %s", p.Errors, c.field)
			}
			if status == 401 && header.Get("WWW-Authenticate") == "" {
				t.Fatal("no WWW-Authenticate")
			}
		})
	}
}

func TestHTTP_preflight(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.Origins = []string{"https://chat.example.org"} })
	status, header, _ := w.do(t, "OPTIONS", "/api/v1/rooms", "", "Origin", "https://chat.example.org", "Access-Control-Request-Method", "POST")
	if status != 204 || header.Get("Access-Control-Allow-Origin") != "https://chat.example.org" || !strings.Contains(header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Fatalf("%d %v", status, header)
	}
	if status, _, _ := w.do(t, "OPTIONS", "/api/v1/rooms", "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST"); status != 403 {
		t.Fatalf("another origin: %d", status)
	}
}

// Redis away: users go on, guessing does not.
func TestHTTP_redis_away(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.LimitLoopback = true })
	bearer := "Bearer " + w.token(t, "ann", "s1")
	send := func() int {
		status, _, _ := w.do(t, "POST", "/api/v1/rooms/r1/messages", `{"client_id":"c","type":"text","content":{"text":"x"}}`, "Authorization", bearer)
		return status
	}
	if status := send(); status != 201 {
		t.Fatalf("with Redis: %d", status)
	}
	w.redis.Close()
	for range 50 { // more than a gateway holds in hand
		if status := send(); status != 201 {
			t.Fatalf("without Redis: %d", status)
		}
	}
	status, header, body := w.do(t, "POST", "/api/v1/auth/login", `{"account":"a","password":"b"}`)
	if status != 503 || header.Get("Retry-After") == "" {
		t.Fatalf("guessing without Redis: %d %s", status, body)
	}
}

// A gateway is ready without Redis, tells, and notices without any call when
// it is back.
func TestHealth_redis_away(t *testing.T) {
	w := newWorld(t, nil)
	redis := func() telemetry.CheckState { return w.check(t, "redis") }
	eventually(t, "all is well", func() bool { return redis().String() == "ok" })
	w.redis.Close()
	if state := redis(); state.String() != "degraded: redis is away" || w.metric(t, "parley_limit_redis_away") != 1 {
		t.Fatalf("without Redis: %s, away %v", state, w.metric(t, "parley_limit_redis_away"))
	}
	if err := w.tel.Health.Ready(t.Context()); err != nil {
		t.Fatalf("not ready without Redis: %v", err)
	}
	if err := w.redis.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is back", func() bool { return redis().String() == "ok" })
	if away := w.metric(t, "parley_limit_redis_away"); away != 0 {
		t.Fatalf("away is %v", away)
	}
}

func TestHTTP_limits(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.LimitLoopback, cfg.GuessBurst, cfg.GuessesPerMin = true, 3, 1 })
	var last int
	for range 5 {
		var header http.Header
		last, header, _ = w.do(t, "POST", "/api/v1/auth/login", `{`)
		if last == 429 && header.Get("Retry-After") == "" {
			t.Fatal("no Retry-After")
		}
	}
	if last != 429 {
		t.Fatalf("the fifth guess was answered %d", last)
	}
}

func TestHTTP_revoked_session(t *testing.T) {
	w := newWorld(t, nil)
	raw := w.token(t, "ann", "gone")
	ws := w.dial(t, raw)
	if _, err := next(t, ws); err != nil {
		t.Fatal(err)
	}
	_, expires, err := w.signer.Sign("ann", "gone")
	if err != nil {
		t.Fatal(err)
	}
	publish(t, w.nc, contract.SessionRevoked, "ann", contract.SessionRevokedData{SessionID: "gone", Until: contract.NewTime(expires)})
	if code := closed(t, ws); code != contract.CloseSessionRevoked {
		t.Fatalf("closed with %d", code)
	}
	if status, _, body := w.do(t, "GET", "/api/v1/rooms", "", "Authorization", "Bearer "+raw); status != 401 {
		t.Fatalf("%d %s", status, body)
	}
}

func TestRendezvous_moves_only_the_keys_of_who_is_gone(t *testing.T) {
	nodes := []string{"a", "b", "c", "d"}
	counts := map[string]int{}
	for i := range 4000 {
		key := strings.Repeat("k", 1+i%7) + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		before := rendezvous(nodes, key)
		counts[before]++
		if after := rendezvous([]string{"a", "b", "d"}, key); before != "c" && after != before {
			t.Fatalf("%s moved from %s to %s", key, before, after)
		}
	}
	for _, node := range nodes {
		if counts[node] < 700 {
			t.Fatalf("shares %v", counts)
		}
	}
}
