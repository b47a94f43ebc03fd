package k8s

import (
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/services/auth"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/gateway"
	"github.com/parley-im/parley/services/social"
)

// configured are the services by name, each with what it reads from its
// environment.
func configured() map[contract.Service][]run.Variable {
	return map[contract.Service][]run.Variable{
		contract.Auth:    run.Variables("AUTH", &auth.Config{}),
		contract.Social:  run.Variables("SOCIAL", &social.Config{}),
		contract.Chat:    run.Variables("CHAT", &chat.Config{}),
		contract.Gateway: run.Variables("GATEWAY", &gateway.Config{}),
	}
}

// secret are the variables that come from a service's Secret and from nowhere
// else: no value may hold them.
var secret = map[string]bool{
	"AUTH_KEY_SECRET": true, "AUTH_STORE": true, "SOCIAL_STORE": true, "CHAT_STORE": true,
	"REDIS_URL": true, "SMTP_URL": true,
	"NATS_NKEY_SEED": true, "NATS_USER": true, "NATS_PASSWORD": true,
}

// managed are the variables that the chart sets itself, and why: the value
// that they follow, or what in the chart depends on them.
var managed = map[string]string{
	"OPS_ADDR":             "probes and Services",
	"GATEWAY_ADDR":         "Services",
	"NATS_URL":             "nats.url",
	"NATS_NAME":            "the pod's name",
	"NATS_CA_FILE":         "nats.tls.caSecret",
	"NATS_CERT_FILE":       "nats.tls.clientSecret",
	"NATS_KEY_FILE":        "nats.tls.clientSecret",
	"NATS_STREAM_REPLICAS": "nats.streamReplicas",
}

// given is the name under which the chart's templates set a variable: the
// shared one if there is one.
func given(v run.Variable) string {
	if v.Shared != "" {
		return v.Shared
	}
	return v.Name
}

// free reports whether the variable is a setting: one that values may hold.
func free(v run.Variable) bool {
	return !secret[given(v)] && managed[given(v)] == ""
}
