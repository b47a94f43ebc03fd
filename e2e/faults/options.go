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
	Replicas                int     // of each service
	Sends                   float64 // a second, of all together

	// Faults are what happens instead of what follows from the seed.
	Faults []Fault
	// Sabotage breaks the chat service, so that the run must fail: a constant
	// of faultystore.
	Sabotage string
	// Until ends a run that waits for rest, once it is true of what is found
	// so far. Nil: never.
	Until func(*Findings) bool
	// Restart is a shell command that restarts the database that MONGO_URI
	// names. Empty: it is left alone.
	Restart string
	// Logs is a directory for what processes and clients write.
	Logs string
}

// Short is the run of `make test`, of about two minutes in all.
func Short(seed uint64) Options {
	return Options{
		Seed: seed, Duration: 75 * time.Second, Pace: 1500 * time.Millisecond, Settle: 3 * time.Minute,
		People: 60, Rooms: 20, Gateways: 6, Replicas: 2, Sends: 40,
	}
}

// silentCall is how long gateways wait for services in a run: less than most
// pauses last.
const silentCall = 2 * time.Second

// env are the settings of a run's processes: times short enough that
// everything that waits for a time happens within two minutes.
func (o Options) env() []string {
	return []string{
		"LOG_LEVEL=info",
		"FAULTYPART_SABOTAGE=" + o.Sabotage,
		"AUTH_ACCESS_TTL=1m", // tokens are renewed on live connections
		"AUTH_ADDRESS_CODES_PER_HOUR=1000",
		"CHAT_STORE_TIMEOUT=2s",
		"CHAT_QUIET_AFTER=1s",
		fmt.Sprintf("GATEWAY_CALL_TIMEOUT=%s", silentCall),
		"GATEWAY_REQUEST_TIMEOUT=4s",
		"GATEWAY_HEARTBEAT=2s",
		"GATEWAY_WRITE_TIMEOUT=30s",  // who does not read is too slow before
		"GATEWAY_QUEUE_BYTES=262144", // who does not read is soon too slow; a page fits
		"GATEWAY_DRAIN_TIME=1s",
		"GATEWAY_MAX_CONN_AGE=30s",
		"GATEWAY_RESYNC_INTERVAL=10s",
		"GATEWAY_REVOKED_INTERVAL=10s",
		"GATEWAY_KEYS_INTERVAL=20s",
		"GATEWAY_CONNECT_BURST=1000", // connections are cut all the time
		"GATEWAY_FRIEND_BURST=5000",
		"GATEWAY_JOIN_BURST=5000",
	}
}
