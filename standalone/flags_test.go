package main

import (
	"errors"
	"flag"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestParseFlags(t *testing.T) {
	all := []string{"nats", "redis", "auth", "social", "chat", "gateway"}
	cases := []struct {
		args string
		want flags
	}{
		{"", flags{[]string{"127.0.0.1:8080"}, "127.0.0.1:9090", "./data", "127.0.0.1:4222", "127.0.0.1:0", all, ""}},
		{"-addr 127.0.0.1:1,127.0.0.1:2 -only gateway,nats -data /d",
			flags{[]string{"127.0.0.1:1", "127.0.0.1:2"}, "127.0.0.1:9090", "/d", "127.0.0.1:4222", "127.0.0.1:0", []string{"nats", "gateway"}, ""}},
		{"-ops-addr :1 -nats-addr 127.0.0.1:2 -redis-addr [::1]:3 -only chat",
			flags{[]string{"127.0.0.1:8080"}, ":1", "./data", "127.0.0.1:2", "[::1]:3", []string{"chat"}, ""}},
	}
	for _, c := range cases {
		t.Run(c.args, func(t *testing.T) {
			got, err := parseFlags(strings.Fields(c.args), io.Discard)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestParseFlags_Refuses(t *testing.T) {
	for _, args := range []string{"-addr 8080", "-addr 127.0.0.1:1,", "-only all", "-only nats,", "-bad", "word", "-nats-addr nowhere"} {
		if f, err := parseFlags(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%s: %+v", args, f)
		}
	}
}

func TestParseFlags_Help(t *testing.T) {
	var out strings.Builder
	if _, err := parseFlags([]string{"-h"}, &out); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"-addr", "-ops-addr", "-data", "-nats-addr", "-redis-addr", "-only"} {
		if !strings.Contains(out.String(), name) {
			t.Errorf("usage lacks %s", name)
		}
	}
}
