package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine is what was measured on.
type machine struct {
	System     string  `json:"system"`
	Processor  string  `json:"processor,omitempty"` // empty: not known
	Processors int     `json:"processors"`
	Go         string  `json:"go"`
	Load       float64 `json:"load_before"` // the load average before: of a quiet machine near 0
}

// thisMachine looks around, in /proc where there is one.
func thisMachine() machine {
	m := machine{System: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.NumCPU(), Go: runtime.Version()}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System = "Linux " + majorMinor(strings.TrimSpace(string(release))) + ", " + runtime.GOARCH
	}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range bytes.Lines(info) {
			if name, value, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(name) == "model name" {
				m.Processor = strings.TrimSpace(value)
				break
			}
		}
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(load), &m.Load)
	}
	return m
}

// majorMinor is 6.18 of 6.18.44-name.
func majorMinor(release string) string {
	parts := strings.SplitN(release, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
