package main

import (
	"io"
	"strings"
	"testing"
)

// refused is what the program says when it does not start.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	err := serve(t.Context(), args, io.Discard, io.Discard)
	if err == nil {
		t.Fatalf("%v: it has run", args)
	}
	return err.Error()
}

func TestServe_first_mistakes(t *testing.T) {
	for name, c := range map[string]struct{ args, set, want string }{
		"a port only":         {args: "-addr 8115", want: `-addr: "8115" is not an address: write host:port, such as 127.0.0.1:8115`},
		"misspelt flag":       {args: "-adr :8115", want: "there is no flag -adr; did you mean -addr? -help lists all flags"},
		"unknown flag":        {args: "-verbose", want: "there is no flag -verbose; -help lists all flags"},
		"no value":            {args: "-addr", want: "flag needs an argument: -addr; -help lists all flags"},
		"no unit":             {set: "GATEWAY_HEARTBEAT=25", want: "GATEWAY_HEARTBEAT has no unit: write 25s for seconds"},
		"no level":            {set: "LOG_LEVEL=verbose", want: "LOG_LEVEL is not a level: write debug, info, warn or error"},
		"gateway's setting":   {set: "GATEWAY_HERTBEAT=25s", want: "did you mean GATEWAY_HEARTBEAT?"},
		"auth's setting":      {set: "AUTH_ACESS_TTL=1m", want: "did you mean AUTH_ACCESS_TTL?"},
		"social's setting":    {set: "SOCIAL_MAX_MEMBRES=4", want: "did you mean SOCIAL_MAX_MEMBERS?"},
		"chat's setting":      {set: "CHAT_QUIET_AFTR=1s", want: "did you mean CHAT_QUIET_AFTER?"},
		"one that is not run": {args: "-only nats", set: "CHAT_QUIET_AFTR=1s", want: "did you mean CHAT_QUIET_AFTER?"},
		"a store's URL":       {set: "CHAT_STORE=chat.db", want: "CHAT_STORE: it must begin with sqlite: or mongodb:// or mongodb+srv://"},
		"Redis's URL":         {set: "REDIS_URL=localhost:6379", want: "REDIS_URL: it must begin with redis:// or rediss://"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.set != "" {
				variable, value, _ := strings.Cut(c.set, "=")
				t.Setenv(variable, value)
			}
			args := append(strings.Fields(c.args), "-data", t.TempDir())
			if strings.HasSuffix(c.args, "-addr") {
				args = strings.Fields(c.args)
			} else if !strings.Contains(c.args, "-addr") {
				args = append(args, "-addr", "127.0.0.1:0", "-ops-addr", "127.0.0.1:0", "-nats-addr", "127.0.0.1:0")
			}
			if got := refused(t, args...); !strings.Contains(got, c.want) {
				t.Errorf("it says %q, want %q", got, c.want)
			}
		})
	}
}
