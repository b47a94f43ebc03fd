package faults

import (
	"fmt"
	"time"
)

// Options say what a run is like. [Short] fills them.
type Options struct {
	Seed     uint64
	Duration time.Duration // of faults and traffic
	Pace     time.Duration // mean time from one fault to the next
	// Settle is how long everything may take, after the last fault, to come to
	// rest.
	Settle time.Duration

	People, Rooms, Gateways int
	Sends                   float64 // a second, of all together

	// Kinds are the kinds of faults; nil: all.
	Kinds []Kind
	// Sabotage breaks the chat service, so that the run must fail: a constant
	// of faultystore.
	Sabotage string
	// Restart is a shell command that restarts the database that MONGO_URI
	// names. Empty: it is left alone.
	Restart string
	// Logs is a directory for what the processes write.
	Logs string
}

// Short is the run of `make test`, of about two minutes in all.
func Short(seed uint64) Options {
	return Options{
		Seed: seed, Duration: 80 * time.Second, Pace: time.Second, Settle: 90 * time.Second,
		People: 60, Rooms: 20, Gateways: 6, Sends: 40,
	}
}

// silentCall is how long calls wait for an answer in a run: less than most
// pauses last.
const silentCall = 3 * time.Second

// env are the settings of a run's processes: times short enough that
// everything that waits for a time happens within two minutes.
func (o Options) env() []string {
	return []string{
		"LOG_LEVEL=info",
		"FAULTYCHAT_SABOTAGE=" + o.Sabotage,
		"AUTH_ACCESS_TTL=1m", // tokens are renewed on live connections
		"AUTH_ADDRESS_CODES_PER_HOUR=1000",
		"CHAT_STORE_TIMEOUT=2s",
		"CHAT_QUIET_AFTER=1s",
		fmt.Sprintf("GATEWAY_CALL_TIMEOUT=%s", silentCall),
		"GATEWAY_REQUEST_TIMEOUT=5s",
		"GATEWAY_HEARTBEAT=2s",
		"GATEWAY_WRITE_TIMEOUT=30s",  // who does not read is too slow before
		"GATEWAY_QUEUE_BYTES=262144", // who does not read is soon too slow; a page fits
		"GATEWAY_DRAIN_TIME=1s",
		"GATEWAY_MAX_CONN_AGE=30s",
		"GATEWAY_RESYNC_INTERVAL=10s",
		"GATEWAY_REVOKED_INTERVAL=10s",
		"GATEWAY_KEYS_INTERVAL=20s",
	}
}
