package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
)

// print writes a scenario's results for people.
func (rep *report) print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer t.Flush()
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	fmt.Fprintf(t, "\n%s: %d connections, %d rooms, %d gateways, %d senders in a %s loop, %.0f s\n",
		rep.Scenario, rep.Connections, rep.Rooms, rep.Gateways, rep.Senders, rep.Loop, rep.Seconds)
	row("  sends acknowledged", "%.0f/s", rep.SendsPerSecond)
	row("  deliveries", "%.0f/s", rep.DeliveriesPerSecond)
	for _, l := range rep.latencies() {
		row("  "+l.about, "p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f ms", l.P50, l.P90, l.P99, l.P999)
	}
	if len(rep.Storms) > 0 {
		row("  storms", "all back after %.2f s", rep.Storms)
	}
	row("  lost, doubled", "%d, %d (repaired %d, unanswered %d)", rep.Lost, rep.Doubled, rep.Repaired, rep.Unanswered)
	for _, code := range slices.Sorted(maps.Keys(rep.Errors)) {
		row("  errors", "%s %d", code, rep.Errors[code])
	}
	if len(rep.Processes) > 0 {
		row("  CPU", "%.1f s a minute", rep.CPUPerMinute)
		if rep.Deliveries > 0 {
			row("  CPU", "%.3f s per 1,000 sends, %.3f s per 100,000 deliveries", rep.CPUPer1000Sends, rep.CPUPer100kDeliveries)
		}
		row("  memory", "%.1f KiB a connection", rep.MemoryPerConnection/1024)
	}
	row("  CPU of load itself", "%.1f s a minute", rep.GeneratorCPUPerMinute)
	for _, f := range rep.Floors {
		row("  floor", "%s", f)
	}
	for _, name := range slices.Sorted(maps.Keys(rep.Ratios)) {
		row("  ratio", "%s %.2f", name, rep.Ratios[name])
	}
}

// writeJSON puts results into a file.
func writeJSON(file string, results any) error {
	data, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	if err := os.WriteFile(file, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// readJSON reads results of before; a file that is not there leaves them as
// they are.
func readJSON(file string, results any) error {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read results: %w", err)
	}
	if err := json.Unmarshal(data, results); err != nil {
		return fmt.Errorf("read results of %s: %w", file, err)
	}
	return nil
}
