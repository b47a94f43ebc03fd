package main

import (
	"testing"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/standalone/embedded"
)

// A service is to the embedded server who this process says, whatever it is to
// another; to a given server it is who its settings say.
func TestServers_bus(t *testing.T) {
	own := bus.Config{URL: "tls://nats:4222", NKeySeed: "SU", Name: "n"}
	secrets := embedded.Secrets{NATS: map[string]string{"chat": "password"}}
	for want, a := range map[bus.Config]servers{
		own: {natsURL: own.URL, secrets: secrets},
		{URL: "nats://127.0.0.1:1", User: "chat", Password: "password", Name: "n"}: {natsURL: "nats://127.0.0.1:1", natsOwn: true, secrets: secrets},
	} {
		if got := a.bus(own, contract.Chat); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
