package e2e

import (
	"testing"

	"github.com/parley-im/parley/e2e/system"
)

// TestParley walks through everything that people do on one system: two
// replicas of each service, three gateways, NATS and Redis as processes.
func TestParley(t *testing.T) {
	// People here reset their password right after they have registered.
	s := system.Start(t, system.Options{Env: []string{"AUTH_CODES_PER_MINUTE=5", "GATEWAY_GROUP_BURST=10000"}})
	parts := []struct {
		name string
		test func(*testing.T, *system.System)
	}{
		{"two people talk through different gateways", talk},
		{"accounts", accounts},
		{"sessions", sessions},
		{"friends", friends},
		{"groups", groups},
		{"messages", messages},
		{"history", history},
		{"sockets", sockets},
		{"hostile frames", hostileFrames},
		{"authority", authority},
		{"a group of twenty", groupOfTwenty},
		{"two chat replicas write one room", twoWriters},
		{"one client_id a hundred times at once", sameClientID},
		{"a revoked session", revokedSession},
		{"no frame reaches another's socket", pooledConnections},
		{"NATS permissions", natsPermissions},
		{"pages outside the API", pages},
	}
	ran := 0 // fewer than all with -run
	for _, part := range parts {
		t.Run(part.name, func(t *testing.T) {
			ran++
			part.test(t, s)
		})
	}
	if missing := api().Called.Missing(); len(missing) > 0 && ran == len(parts) && !t.Failed() {
		t.Errorf("calls of docs/openapi.yaml that nothing here makes: %q", missing)
	}
}
