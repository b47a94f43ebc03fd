package main

import (
	"io"
	"strings"
	"testing"
)

func TestParseOptions(t *testing.T) {
	o, err := parseOptions(strings.Fields("-gateways http://127.0.0.1:1,http://127.0.0.1:2/ -scenario storm,persist -pid 7,8 -conns 9"), io.Discard)
	if err != nil || len(o.gateways) != 2 || o.gateways[1] != "http://127.0.0.1:2" || len(o.pids) != 2 || len(o.scenarios) != 2 {
		t.Fatalf("%+v, %v", o, err)
	}
	if s := o.fill(o.scenarios[1]); s.name != "persist" || s.conns != 9 || s.members != 5 {
		t.Errorf("filled %+v", s)
	}
	if o, err = parseOptions(strings.Fields("-parley b"), io.Discard); err != nil || o.size != (size{gateways: 2, chats: 1}) || o.runs != 1 {
		t.Errorf("by default %+v, %v", o, err)
	}
	for args, about := range map[string]string{
		"":                                     "-gateways",
		"-gateways http://a -parley b":         "-gateways",
		"-gateways a":                          "-gateways",
		"-gateways http://a -scenario no":      "-scenario",
		"-gateways http://a -pid x":            "-pid",
		"-parley b -pid 1":                     "-pid",
		"-parley b -replicas 0":                "-replicas",
		"-parley b -gateway-count 0":           "-gateway-count",
		"-parley b -runs 0":                    "-runs",
		"-parley b -sweep no":                  "-sweep",
		"-parley b -sweep all":                 "-json",
		"-gateways http://a -duration 0s":      "-duration",
		"-gateways http://a -text 5000":        "-text",
		"-gateways http://a -rate -1":          "-rate",
		"-gateways http://a something":         "something",
		"-gateways http://a -scenario idle -x": "-x",
	} {
		if _, err := parseOptions(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), about) {
			t.Errorf("%q: %v, want something about %s", args, err, about)
		}
	}
}
