package gateway

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

func TestAddresses_client(t *testing.T) {
	const proxy = "10.0.0.1"
	for header, want := range map[string]string{
		"":                                  proxy,
		"4.4.4.4":                           "4.4.4.4",
		"4.4.4.5:1234":                      "4.4.4.5",
		"2001:db8::1":                       "2001:db8::1",
		"[2001:db8::2]":                     "2001:db8::2",
		"[2001:db8::3]:443":                 "2001:db8::3",
		`"[2001:db8::4]:443"`:               "2001:db8::4",
		`"4.4.4.6"`:                         "4.4.4.6",
		"::ffff:4.4.4.7":                    "4.4.4.7",
		"[::ffff:4.4.4.8]:80":               "4.4.4.8",
		"4.4.4.9,":                          "4.4.4.9",
		"4.4.4.10, ,":                       "4.4.4.10",
		"6.6.6.6, 4.4.4.11":                 "4.4.4.11", // the client may have made up the first
		"4.4.4.12, 10.0.0.2:5000, 10.0.0.3": "4.4.4.12",
		"4.4.4.13, unknown":                 proxy, // nobody knows who wrote what precedes it
		"4.4.4.14, 4.4.4.14.1":              proxy,
		"4.4.4.15, [4.4":                    proxy,
	} {
		var log strings.Builder
		a, err := newAddresses([]string{"10.0.0.0/8"}, true, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		entries := strings.Split(header, ",")
		for range 3 {
			if got := a.client(netip.MustParseAddr(proxy), entries).String(); got != want {
				t.Errorf("%q: %s, want %s", header, got, want)
			}
		}
		wantLines := 0
		if want == proxy && header != "" {
			wantLines = 1
		}
		if lines := strings.Count(log.String(), "\n"); lines != wantLines || strings.Contains(log.String(), "4.4.") {
			t.Errorf("%q: %d lines, want %d without addresses: %s", header, lines, wantLines, log.String())
		}
	}
}

func TestAddresses_client_of_a_stranger(t *testing.T) {
	a, err := newAddresses(nil, true, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got := a.client(netip.MustParseAddr("9.9.9.9"), []string{"4.4.4.4"}).String(); got != "9.9.9.9" {
		t.Errorf("a stranger is believed to be %s", got)
	}
}
