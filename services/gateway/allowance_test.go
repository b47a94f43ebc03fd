package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/coder/websocket"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
)

// social answers what costs others something, and lets all of it succeed.
func (w *world) social(t *testing.T) {
	t.Helper()
	nc, err := nats.Connect(w.nats.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	auth := rpc.NewServer(nc, rpc.ServerOptions{Service: contract.Auth})
	rpc.Handle(auth, contract.FindUser, func(_ context.Context, req contract.FindUserRequest) (contract.Profile, error) {
		return contract.Profile{ID: "bob", Account: req.Account}, nil
	})
	background(t, auth.Run)
	s := rpc.NewServer(nc, rpc.ServerOptions{Service: contract.Social})
	rpc.Handle(s, contract.AreFriends, func(context.Context, contract.AreFriendsRequest) (contract.AreFriendsReply, error) {
		return contract.AreFriendsReply{}, nil
	})
	rpc.Handle(s, contract.AddFriend, func(context.Context, contract.AddFriendRequest) (contract.AddFriendReply, error) {
		return contract.AddFriendReply{RoomID: "r1"}, nil
	})
	rpc.Handle(s, contract.CreateRoom, func(context.Context, contract.CreateRoomRequest) (contract.CreateRoomReply, error) {
		return contract.CreateRoomReply{Room: contract.RoomInfo{ID: "r1"}, Created: true}, nil
	})
	rpc.Handle(s, contract.AddMembers, func(context.Context, contract.AddMembersRequest) (contract.AddMembersReply, error) {
		return contract.AddMembersReply{}, nil
	})
	background(t, s.Run)
	eventually(t, "social answers", func() bool {
		status, _, _ := w.do(t, "GET", "/api/v1/users?account=bob", "", "Authorization", "Bearer "+w.token(t, "eve", "s9"))
		return status == 200
	})
}

// TestLimits_of_a_user hits each limit of what one user may ask, and sees the
// time to retry, and that another user is not held up.
func TestLimits_of_a_user(t *testing.T) {
	const rate, burst = 0.5, 3 // a minute: two minutes for each
	w := newWorld(t, func(c *Config) {
		c.SearchesPerMin, c.SearchBurst = rate, burst
		c.FriendsPerMin, c.FriendBurst = rate, burst
		c.GroupsPerMin, c.GroupBurst = rate, burst
		c.JoinsPerMin, c.JoinBurst = rate, burst
		c.SendsPerSecond, c.SendBurst = rate/60, burst
		c.CallsPerSecond, c.CallBurst = 1000, 1000
	})
	w.social(t)
	group := `{"name":"g"}`
	for name, c := range map[string]struct {
		method, path, body string
		at                 int // which one is refused
		wait               time.Duration
	}{
		"search": {"GET", "/api/v1/users?account=bob", "", 4, 2 * time.Minute},
		"friend": {"POST", "/api/v1/friends", `{"account":"bob"}`, 4, 2 * time.Minute},
		"group":  {"POST", "/api/v1/rooms", group, 4, 2 * time.Minute},
		"join":   {"POST", "/api/v1/rooms/r1/members", `{"user_ids":["a","b"]}`, 2, 2 * time.Minute}, // one is left of two
		"joined": {"POST", "/api/v1/rooms", `{"name":"g","member_ids":["a","b","c","d"]}`, 2, 6 * time.Minute},
		"send":   {"POST", "/api/v1/rooms/r1/messages", `{"client_id":"c","type":"text","content":{"text":"x"}}`, 4, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			ann, bob := "Bearer "+w.token(t, name+"-ann", "s1"), "Bearer "+w.token(t, name+"-bob", "s2")
			for n := 1; n < c.at; n++ {
				if status, _, body := w.do(t, c.method, c.path, c.body, "Authorization", ann); status/100 != 2 {
					t.Fatalf("%d of %d: %d %s", n, burst, status, body)
				}
			}
			w.tooMany(t, c.method, c.path, c.body, ann, c.wait)
			if status, _, body := w.do(t, c.method, c.path, c.body, "Authorization", bob); status/100 != 2 {
				t.Fatalf("someone else: %d %s", status, body)
			}
		})
	}
	t.Run("what is refused for its form costs nothing", func(t *testing.T) {
		raw := "Bearer " + w.token(t, "ned", "s1")
		for range burst + 1 {
			if status, _, _ := w.do(t, "POST", "/api/v1/friends", `{`, "Authorization", raw); status != 400 {
				t.Fatal(status)
			}
		}
		if status, _, _ := w.do(t, "POST", "/api/v1/friends", `{"account":"bob"}`, "Authorization", raw); status != 201 {
			t.Fatal(status)
		}
	})
}

// tooMany makes a request that is refused with the time to retry, give or take
// what the test has taken.
func (w *world) tooMany(t *testing.T, method, path, body, bearer string, wait time.Duration) {
	t.Helper()
	status, header, answer := w.do(t, method, path, body, "Authorization", bearer)
	var p problem
	if err := json.Unmarshal([]byte(answer), &p); err != nil || status != http.StatusTooManyRequests || p.Code != fault.ResourceExhausted {
		t.Fatalf("%d %s", status, answer)
	}
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if told := time.Duration(seconds) * time.Second; err != nil || told > wait || told < wait/2 {
		t.Fatalf("Retry-After is %q, not about %v", header.Get("Retry-After"), wait)
	}
}

// TestLimits_of_an_address hits what is counted by address.
func TestLimits_of_an_address(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.LimitLoopback = true
		c.OpensPerMinute, c.OpenBurst = 0.5, 3
		c.GuessesPerMin, c.GuessBurst = 0.5, 3
	})
	for _, path := range []string{"refresh", "login"} {
		for range 3 {
			if status, _, _ := w.do(t, "POST", "/api/v1/auth/"+path, `{`); status != 400 {
				t.Fatalf("%s: %d", path, status)
			}
		}
		w.tooMany(t, "POST", "/api/v1/auth/"+path, `{`, "", 2*time.Minute)
	}
}

// All tokens or none, and more than there can be count as all.
func TestLimiter_AllowAll(t *testing.T) {
	server := miniredis.RunT(t)
	client, err := openRedis("redis://"+server.Addr(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	l := newLimiter(client, newLimitMetrics(telemetry.Discard(contract.Gateway).Metrics), quiet())
	b := bucket{name: "b", rate: 1.0 / 60, burst: 10}
	take := func(n int) time.Duration {
		err := l.AllowAll(t.Context(), b, "ann", n)
		if err == nil {
			return 0
		}
		if !fault.Is(err, fault.ResourceExhausted) {
			t.Fatal(err)
		}
		return fault.From(err).RetryAfter.Round(time.Minute)
	}
	for i, c := range []struct {
		n    int
		wait time.Duration
	}{
		{6, 0},
		{5, time.Minute}, // four are left
		{100, 6 * time.Minute},
		{4, 0},
		{0, 0}, // nothing is always there
		{1, time.Minute},
	} {
		if wait := take(c.n); wait != c.wait {
			t.Errorf("step %d, %d tokens: wait %v, not %v", i, c.n, wait, c.wait)
		}
	}
}

func TestTurnstile(t *testing.T) {
	now := time.Unix(1e9, 0)
	ts := newTurnstile(60, 2)
	for i, c := range []struct {
		after time.Duration
		key   string
		wait  time.Duration
	}{
		{0, "ann", 0},
		{0, "ann", 0},
		{0, "ann", time.Second},
		{300 * time.Millisecond, "ann", 700 * time.Millisecond}, // who is refused is not set back
		{0, "bob", 0},
		{0, "", 0},
		{700 * time.Millisecond, "ann", 0},
		{0, "ann", time.Second},
	} {
		now = now.Add(c.after)
		wait := ts.wait(c.key, now)
		if wait != c.wait {
			t.Errorf("step %d: %v, not %v", i, wait, c.wait)
		}
		if wait == 0 {
			ts.pass(c.key, now)
		}
	}
	ts.sweep(now.Add(time.Second))
	if _, ann := ts.full["ann"]; len(ts.full) != 1 || !ann {
		t.Errorf("remembers %v", ts.full)
	}
	ts.sweep(now.Add(2 * time.Second))
	if len(ts.full) != 0 {
		t.Errorf("remembers %v", ts.full)
	}
}

// Opening connections is limited too, however short they are.
func TestSocket_connects_too_often(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.LimitLoopback = true
		c.ConnectsPerMinute, c.ConnectBurst = 1, 3
		c.AddressConnectsPerMinute, c.AddressConnectBurst = 1, 8
	})
	about := func(response *http.Response) {
		t.Helper()
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err != nil || seconds < 30 || seconds > 60 || response.StatusCode != http.StatusTooManyRequests {
			t.Fatalf("%d with %v", response.StatusCode, response.Header)
		}
	}
	ann := w.token(t, "ann", "s1")
	for range 3 {
		_ = w.dial(t, ann).CloseNow()
	}
	about(refused(t, w, ann))

	// Known by a frame only, the user is the same.
	ws := w.dial(t, "")
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(fmt.Sprintf(`{"id":"1","op":"auth","data":{"token":%q}}`, ann))); err != nil {
		t.Fatal(err)
	}
	frame, err := next(t, ws)
	if err != nil || !strings.Contains(frame, `"code":"resource_exhausted"`) || !strings.Contains(frame, `"retry_after_ms":5`) {
		t.Fatalf("%s, %v", frame, err)
	}
	if code := closed(t, ws); code != contract.CloseTooFast {
		t.Fatalf("closed with %d", code)
	}

	// Someone else at the same address, until that has had its share.
	for i := range 4 {
		w.dial(t, w.token(t, fmt.Sprint("user", i), "s2"))
	}
	about(refused(t, w, w.token(t, "zoe", "s3")))
}
