package deploy

import (
	"slices"
	"strings"
	"testing"
)

// wget is busybox's, which every image on Alpine has.
func wget(url string) []string { return []string{"CMD", "wget", "-q", "-O", "/dev/null", url} }

// probes are the health commands of other projects' images, by image and
// version. Mailpit's, Prometheus's and NATS's were read in the sources of that
// version, the others in sources or documents of the same release line. nil:
// the image has nothing that could ask, no shell either, and the program has no
// such flag. Check a new version of an image again: Tempo's flag -health, which
// is in its documentation, came with 3.0.
var probes = map[string][]string{
	"nats:2.15.2-alpine":                     wget("http://127.0.0.1:8222/healthz"), // server/monitor.go: HealthzPath
	"caddy:2.11.9-alpine":                    wget("http://127.0.0.1:8080/"),        // compose/Caddyfile
	"mongo:8.0.28":                           {"CMD", "mongosh", "--quiet", "mongodb://localhost:27017/?directConnection=true&tls=true&tlsCAFile=/run/tls/ca.crt", "/etc/parley/health.js"},
	"valkey/valkey:9.1.1-alpine":             {"CMD-SHELL", "valkey-cli --tls --cacert /run/tls/ca.crt -h 127.0.0.1 ping | grep -q PONG"},
	"axllent/mailpit:v1.33.1":                {"CMD", "/mailpit", "readyz"},            // cmd/readyz.go, and the image's own HEALTHCHECK
	"prom/prometheus:v3.15.1":                {"CMD", "promtool", "check", "ready"},    // cmd/promtool/main.go: --url is localhost:9090
	"grafana/grafana:12.4.4":                 wget("http://127.0.0.1:3000/api/health"), // on Alpine
	"grafana/tempo:2.10.8":                   nil,                                      // distroless
	"natsio/prometheus-nats-exporter:0.19.2": nil,
}

// TestCompose_asks_in_a_way_that_the_image_knows: a health command that an
// image does not have never succeeds, and whatever waits for it never starts.
func TestCompose_asks_in_a_way_that_the_image_knows(t *testing.T) {
	seen := map[string]bool{}
	for name, s := range project(t).Services {
		if strings.Contains(s.Image, "parley-im/") || slices.Contains(once, name) {
			continue // our own asks itself, and what runs once is not asked
		}
		probe, known := probes[s.Image]
		seen[s.Image] = true
		switch {
		case !known:
			t.Errorf("%s: read in the sources of %s how it is asked for its health", name, s.Image)
		case s.HealthCheck == nil && probe != nil:
			t.Errorf("%s has no health check", name)
		case s.HealthCheck != nil && !slices.Equal(s.HealthCheck.Test, probe):
			t.Errorf("%s is asked by %q, want %q", name, s.HealthCheck.Test, probe)
		}
	}
	for image := range probes {
		if !seen[image] {
			t.Errorf("%s runs nowhere", image)
		}
	}
}
