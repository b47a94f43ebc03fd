package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

// Report is what a run showed. Durations are in seconds.
type Report struct {
	Seed     uint64            `json:"seed"`
	Started  time.Time         `json:"started_at"`
	Duration float64           `json:"duration_s"` // of faults and traffic
	Settled  float64           `json:"settled_s"`  // until everything had come to rest
	Versions map[string]string `json:"versions"`

	People   int `json:"people"`
	Rooms    int `json:"rooms"`
	Gateways int `json:"gateways"`

	Faults       map[Kind]int `json:"faults"`
	Sent         int          `json:"sent"`
	Acknowledged int          `json:"acknowledged"`
	Stored       int          `json:"stored"`
	Received     int          `json:"received"`
	Removed      int          `json:"removed"`

	// LongestSend is from a first try to its acknowledgement, LongestOutage
	// without a live connection, of any client.
	LongestSend   float64 `json:"longest_send_s"`
	LongestOutage float64 `json:"longest_outage_s"`
	Connects      int64   `json:"connects"`
	Retries       int64   `json:"retries"`
	Repairs       int64   `json:"repairs"`
	Fetched       int64   `json:"fetched"`
	// Closes is how connections ended, at the gateways as last started.
	Closes map[string]int `json:"closes"`

	Events    int                `json:"events"`
	Repeated  int                `json:"events_repeated"`
	Refusals  map[fault.Code]int `json:"refusals"` // of those who churn
	Findings  *Findings          `json:"findings"`
	Differs   []string           `json:"events_differ"` // from the stores
	Disorders []string           `json:"events_wrong"`
	Ended     []string           `json:"sessions_ended"` // nobody logs out

	// Failure is what ended the run or kept it from coming to rest; empty: it
	// went as it should.
	Failure string `json:"failure"`
	Verdict string `json:"verdict"` // pass or fail
}

// Passed reports whether nothing at all was wrong.
func (r *Report) Passed() bool {
	return r.Failure == "" && r.Findings != nil && r.Findings.None() && len(r.Differs)+len(r.Disorders)+len(r.Ended) == 0
}

// judge fills in the verdict.
func (r *Report) judge() {
	r.Verdict = "fail"
	if r.Passed() {
		r.Verdict = "pass"
	}
}

// Table writes the report for people.
func (r *Report) Table(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name string, value any, more ...string) {
		fmt.Fprintf(w, "%s\t%v\t%s\n", name, value, strings.Join(more, " "))
	}
	row("seed", r.Seed)
	row("people, rooms, gateways", fmt.Sprintf("%d, %d, %d", r.People, r.Rooms, r.Gateways))
	row("faults", count(r.Faults), fmt.Sprintf("in %.0f s", r.Duration))
	for _, kind := range slices.Sorted(maps.Keys(r.Faults)) {
		row("  "+string(kind), r.Faults[kind])
	}
	row("sent", r.Sent)
	row("acknowledged", r.Acknowledged)
	row("stored", r.Stored, fmt.Sprintf("%d removed since", r.Removed))
	row("received", r.Received, "by all members' devices")
	if f := r.Findings; f != nil {
		row("lost", len(f.Lost)+len(f.Missing))
		row("doubled", len(f.Doubled))
		row("reordered", len(f.Reordered))
		row("holes", len(f.Holes))
		row("wrong", len(f.Wrong))
	}
	row("events", r.Events, fmt.Sprintf("%d repeated; %d differences from the stores, %d out of order", r.Repeated, len(r.Differs), len(r.Disorders)))
	row("longest outage", fmt.Sprintf("%.1f s", r.LongestOutage), "without a live connection, of one client")
	row("longest send", fmt.Sprintf("%.1f s", r.LongestSend), "from the first try to its acknowledgement")
	row("connections", r.Connects, "of which at the gateways as last started:")
	for _, how := range slices.Sorted(maps.Keys(r.Closes)) {
		row("  closed: "+how, r.Closes[how])
	}
	row("sends and calls repeated", r.Retries)
	row("messages fetched", r.Fetched, fmt.Sprintf("in %d repairs", r.Repairs))
	row("at rest after", fmt.Sprintf("%.1f s", r.Settled))
	row("verdict", r.Verdict)
	_ = w.Flush() // as good as out
}

func count(of map[Kind]int) int {
	n := 0
	for _, k := range of {
		n += k
	}
	return n
}

// Details writes what is wrong, the first of each kind.
func (r *Report) Details(out io.Writer) {
	tell := func(name string, list []string) {
		for i, line := range list {
			if i == 10 {
				fmt.Fprintf(out, "%s: and %d more\n", name, len(list)-i)
				return
			}
			fmt.Fprintf(out, "%s: %s\n", name, line)
		}
	}
	if r.Failure != "" {
		fmt.Fprintf(out, "failure: %s\n", r.Failure)
	}
	if f := r.Findings; f != nil {
		tell("lost", f.Lost)
		tell("missing", f.Missing)
		tell("doubled", f.Doubled)
		tell("hole", f.Holes)
		tell("reordered", f.Reordered)
		tell("wrong", f.Wrong)
	}
	tell("events differ", r.Differs)
	tell("events wrong", r.Disorders)
	tell("session ended", r.Ended)
}

// Write writes the report as JSON to a file.
func (r *Report) Write(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// versions are of Go and of what the run rests on.
func versions() map[string]string {
	list := map[string]string{"go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return list
	}
	for _, dep := range info.Deps {
		switch dep.Path {
		case "github.com/nats-io/nats-server/v2", "github.com/nats-io/nats.go", "github.com/Shopify/toxiproxy/v2",
			"go.mongodb.org/mongo-driver", "modernc.org/sqlite":
			list[dep.Path] = dep.Version
		}
	}
	return list
}
