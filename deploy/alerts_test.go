package deploy

import (
	"log/slog"
	"slices"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

const alertsFile = "k8s/parley/files/alerts.yaml"

// rules are the rules of all groups, in order; Prometheus's own reader has
// checked expressions and templates.
func rules(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(alertsFile, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Error(err)
	}
	if len(errs) > 0 {
		t.FailNow()
	}
	var all []rulefmt.Rule
	for _, group := range groups.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// minutes is how long the samples below are watched.
const minutes = 90

// alertCases have, for each alert, samples of a minute each at which it fires,
// from the minute given on, and similar ones at which it must not.
var alertCases = map[string]struct {
	fires []string
	from  int
	quiet []string
}{
	"ParleyAbsent": {
		fires: []string{
			`parley_build_info{service="auth"} 1x100`,
			`parley_build_info{service="social"} 1x100`,
			`parley_build_info{service="chat"} 1x10 _x90`,
			`parley_build_info{service="gateway"} 1x100`,
		},
		from: 17, // what was seen counts for 5 minutes
		quiet: []string{
			`parley_build_info{service="auth"} 1x100`,
			`parley_build_info{service="social"} 1x100`,
			`parley_build_info{service="chat",instance="a"} 1x10 _x90`,
			`parley_build_info{service="chat",instance="b"} 1x100`,
			`parley_build_info{service="gateway"} 1x100`,
		},
	},
	"ParleyReplicaDown": {
		fires: []string{
			`up{job="parley",instance="a"} 1x10 0x80`,
			`parley_build_info{job="parley",instance="a",service="chat"} 1x10 _x80`,
			`parley_build_info{job="parley",instance="a",service="auth"} 1x10 _x80`,
		},
		from: 16,
		quiet: []string{
			`up{job="mongo",instance="m"} 0x100`,
			`up{job="parley",instance="a"} 1x10 0 0 1x80`,
			`parley_build_info{job="parley",instance="a",service="chat"} 1x100`,
		},
	},
	"ParleyNotReady": {
		fires: []string{
			`parley_health_check{service="chat",instance="a",check="store",informs="false"} 1x10 0x80`,
			`parley_health_check{service="chat",instance="a",check="nats",informs="false"} 1x100`,
		},
		from: 13,
		quiet: []string{
			`parley_health_check{service="auth",instance="a",check="redis",informs="true"} 0x100`,
			`parley_health_check{service="auth",instance="a",check="draining",informs="false"} 0x100`,
			`parley_health_check{service="auth",instance="a",check="nats",informs="false"} 1x20 0 1x80`,
		},
	},
	"ParleyDegraded": {
		fires: []string{`parley_health_check{service="chat",instance="a",check="clock",informs="true"} 1x10 0x90`},
		from:  16,
		quiet: []string{
			`parley_health_check{service="chat",instance="a",check="clock",informs="true"} 1x10 0x3 1x80`,
			`parley_health_check{service="auth",instance="a",check="redis",informs="true"} 0x100`,
			`parley_health_check{service="auth",instance="a",check="store",informs="false"} 0x100`,
		},
	},
	"ParleyDrainStuck": {
		fires: []string{`parley_draining{service="gateway",instance="a"} 0x10 1x80`},
		from:  21,
		quiet: []string{`parley_draining{service="gateway",instance="a"} 0x10 1x3 _x80`, `parley_draining{service="gateway",instance="b"} 0x100`},
	},
	"ParleyQueueGrows": {
		fires: []string{`parley_rpc_server_queue_length{service="auth",instance="a"} 0x10 500x80`},
		from:  17,
		quiet: []string{`parley_rpc_server_queue_length{service="auth",instance="a"} 0x10 300 0x80`},
	},
	"ParleySendsFail": {
		fires: []string{
			`parley_rpc_client_requests_total{method="chat.send",code="ok"} 0+1000x100`,
			`parley_rpc_client_requests_total{method="chat.send",code="unavailable"} 0x10 0+200x90`,
		},
		from: 14,
		// The sender's mistakes, another method, a minute's trouble an hour ago, nothing at all.
		quiet: []string{
			`parley_rpc_client_requests_total{method="chat.send",code="ok"} 0+1000x100`,
			`parley_rpc_client_requests_total{method="chat.send",code="permission_denied"} 0+900x100`,
			`parley_rpc_client_requests_total{method="chat.history",code="unavailable"} 0+900x100`,
			`parley_rpc_client_requests_total{method="chat.send",code="internal"} 0 50x100`,
		},
	},
	"ParleySendsFailSlowly": {
		fires: []string{
			`parley_rpc_client_requests_total{method="chat.send",code="ok"} 0+1000x100`,
			`parley_rpc_client_requests_total{method="chat.send",code="deadline_exceeded"} 0+10x100`,
		},
		from: 16,
		quiet: []string{
			`parley_rpc_client_requests_total{method="chat.send",code="ok"} 0+1000x100`,
			`parley_rpc_client_requests_total{method="chat.send",code="deadline_exceeded"} 0+1x100`,
		},
	},
	"ParleySendsSlow": {
		fires: []string{
			`parley_rpc_client_duration_seconds_bucket{method="chat.send",le="1"} 0+95x100`,
			`parley_rpc_client_duration_seconds_bucket{method="chat.send",le="2.5"} 0+100x100`,
			`parley_rpc_client_duration_seconds_bucket{method="chat.send",le="+Inf"} 0+100x100`,
		},
		from: 11,
		quiet: []string{
			`parley_rpc_client_duration_seconds_bucket{method="chat.send",le="1"} 0+999x100`,
			`parley_rpc_client_duration_seconds_bucket{method="chat.send",le="+Inf"} 0+1000x100`,
			`parley_rpc_client_duration_seconds_bucket{method="auth.login",le="1"} 0x100`,
			`parley_rpc_client_duration_seconds_bucket{method="auth.login",le="+Inf"} 0+100x100`,
		},
	},
	"ParleyDeliverySlow": {
		fires: []string{
			`parley_gateway_message_age_seconds_bucket{instance="a",le="2.048"} 0+90x100`,
			`parley_gateway_message_age_seconds_bucket{instance="a",le="4.096"} 0+100x100`,
			`parley_gateway_message_age_seconds_bucket{instance="a",le="+Inf"} 0+100x100`,
		},
		from: 11,
		quiet: []string{
			`parley_gateway_message_age_seconds_bucket{instance="a",le="1.024"} 0+999x100`,
			`parley_gateway_message_age_seconds_bucket{instance="a",le="2.048"} 0+1000x100`,
			`parley_gateway_message_age_seconds_bucket{instance="a",le="+Inf"} 0+1000x100`,
		},
	},
	"ParleyStoreAway": {
		fires: []string{`parley_chat_store_away{instance="a"} 0x10 1x80`, `parley_chat_store_away{instance="b"} 0x100`},
		from:  12,
		quiet: []string{`parley_chat_store_away{instance="a"} 0x10 1 0x80`},
	},
	"ParleyStoreNotWritable": {
		fires: []string{
			`parley_health_check{service="chat",instance="a",check="store",informs="false"} 1x10 0x90`,
			`parley_health_check{service="chat",instance="b",check="store",informs="false"} 1x100`,
		},
		from: 12,
		quiet: []string{
			`parley_health_check{service="chat",instance="a",check="store",informs="false"} 1x10 0 1x90`,
			`parley_health_check{service="chat",instance="a",check="nats",informs="false"} 0x100`,
		},
	},
	"ParleyCollisions": {
		fires: []string{`parley_chat_collisions_total{instance="a"} 0+60x100`, `parley_chat_insert_seconds_count{instance="a"} 0+200x100`},
		from:  11,
		quiet: []string{`parley_chat_collisions_total{instance="a"} 0+2x100`, `parley_chat_insert_seconds_count{instance="a"} 0+200x100`},
	},
	"ParleyUnknownOutcomes": {
		fires: []string{`parley_chat_unknown_outcomes_total{instance="a"} 0+12x100`},
		from:  13,
		quiet: []string{`parley_chat_unknown_outcomes_total{instance="a"} 0x10 30x90`},
	},
	"ParleyRedisAway": {
		fires: []string{`parley_health_check{service="gateway",instance="a",check="redis",informs="true"} 1x10 0x90`},
		from:  13,
		quiet: []string{
			`parley_health_check{service="gateway",instance="a",check="redis",informs="true"} 1x10 0 1x90`,
			`parley_health_check{service="gateway",instance="a",check="nats",informs="false"} 0x90`,
		},
	},
	"ParleyEventsLate": {
		fires: []string{`parley_outbox_oldest_age_seconds{service="social",instance="a"} 0x10 30+60x90`},
		from:  17,
		quiet: []string{`parley_outbox_oldest_age_seconds{service="social",instance="a"} 0x10 70 40x90`},
	},
	"ParleyNobodyRelays": {
		fires: []string{`parley_outbox_leader{service="auth",instance="a"} 1x10 0x90`, `parley_outbox_leader{service="auth",instance="b"} 0x100`},
		from:  16,
		quiet: []string{`parley_outbox_leader{service="auth",instance="a"} 1x10 0x90`, `parley_outbox_leader{service="auth",instance="b"} 0x12 1x90`},
	},
	"ParleyDeliveriesDropped": {
		fires: []string{`parley_nats_errors_total{service="gateway",instance="a",kind="slow_consumer"} 0x10 3x90`},
		from:  12,
		quiet: []string{
			`parley_nats_errors_total{service="gateway",instance="a",kind="slow_consumer"} 3x100`,
			`parley_nats_errors_total{service="gateway",instance="a",kind="other"} 0+5x100`,
		},
	},
	"ParleyNATSRefused": {
		fires: []string{`parley_nats_errors_total{service="chat",instance="a",kind="permission"} 0x10 1x90`},
		from:  12,
		quiet: []string{
			`parley_nats_errors_total{service="chat",instance="a",kind="permission"} 0x100`,
			`parley_nats_errors_total{service="chat",instance="a",kind="other"} 0+5x100`,
		},
	},
	"ParleyNATSUnstable": {
		fires: []string{`parley_nats_disconnects_total{service="chat",instance="a"} 0+1x100`},
		from:  9,
		quiet: []string{`parley_nats_disconnects_total{service="chat",instance="a"} 0x10 1x2 2x2 3x90`},
	},
	"ParleyGatewayFull": {
		fires: []string{
			`parley_gateway_connections{instance="a"} 30000+1000x100`,
			`parley_gateway_max_connections{instance="a"} 50000x100`,
		},
		from: 16,
		quiet: []string{
			`parley_gateway_connections{instance="a"} 40000x100`, `parley_gateway_max_connections{instance="a"} 50000x100`,
			`parley_gateway_connections{instance="b"} 45000x100`, `parley_gateway_max_connections{instance="b"} 100000x100`,
		},
	},
	"ParleyClientsSlow": {
		fires: []string{
			`parley_gateway_closes_total{instance="a",code="4408",reason="slow"} 0+10x100`,
			`parley_gateway_connections{instance="a"} 1000x100`,
		},
		from: 8,
		quiet: []string{ // a lower part of a's clients; no more than a few of b's; other codes of c's
			`parley_gateway_closes_total{instance="a",code="4408",reason="slow"} 0+10x100`, `parley_gateway_connections{instance="a"} 50000x100`,
			`parley_gateway_closes_total{instance="b",code="4408",reason="slow"} 0x5 10x100`, `parley_gateway_connections{instance="b"} 50x100`,
			`parley_gateway_closes_total{instance="c",code="1001",reason="idle"} 0+100x100`, `parley_gateway_connections{instance="c"} 50x100`,
		},
	},
	"ParleyLoginsFail": {
		fires: []string{`parley_auth_logins_total{outcome="wrong_password"} 0+300x100`, `parley_auth_logins_total{outcome="ok"} 0+30x100`},
		from:  13,
		quiet: []string{`parley_auth_logins_total{outcome="wrong_password"} 0+300x100`, `parley_auth_logins_total{outcome="ok"} 0+300x100`},
	},
	"ParleyMailsFail": {
		fires: []string{`parley_auth_mails_total{outcome="sent"} 0+5x100`, `parley_auth_mails_total{outcome="failed"} 0x10 0+5x90`},
		from:  23,
		quiet: []string{`parley_auth_mails_total{outcome="sent"} 0+50x100`, `parley_auth_mails_total{outcome="dropped"} 0+1x90`},
	},
}

func TestAlerts_fire(t *testing.T) {
	all := rules(t)
	for _, rule := range all {
		if _, ok := alertCases[rule.Alert]; rule.Alert != "" && !ok {
			t.Errorf("%s: no samples at which it fires", rule.Alert)
		}
	}
	for alert, c := range alertCases {
		t.Run(alert, func(t *testing.T) {
			if !slices.ContainsFunc(all, func(r rulefmt.Rule) bool { return r.Alert == alert }) {
				t.Fatal("is no alert")
			}
			if got := newSamples(t, c.fires...).fires(t, all, alert, minutes); got != c.from {
				t.Errorf("fires at minute %d, want %d", got, c.from)
			}
			if got := newSamples(t, c.quiet...).fires(t, all, alert, minutes); got >= 0 {
				t.Errorf("fires at minute %d, at what it must not", got)
			}
			if got := newSamples(t).fires(t, all, alert, minutes); got >= 0 && alert != "ParleyAbsent" {
				t.Errorf("fires at minute %d, without samples", got)
			}
		})
	}
}
