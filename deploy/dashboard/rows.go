package dashboard

// row is a line of panels under a heading.
type row struct {
	title  string
	panels []panel
}

// panel is one graph over time.
type panel struct {
	title string
	says  string // what to look for; behind the panel's ⓘ
	unit  string // as Grafana calls it
	lines []line
}

// line is one query; it may have several results.
type line struct {
	legend string
	expr   string
	traces bool // points to traces as exemplars
}

// percentiles are the usual two of a histogram, with exemplars.
func percentiles(name, histogram string, matchers ...string) []line {
	return []line{
		{name + " p50", quantile(.5, "", histogram, matchers...), false},
		{name + " p99", quantile(.99, "", histogram, matchers...), true},
	}
}

const (
	perSecond = "reqps"
	events    = "cps"
	seconds   = "s"
	size      = "bytes"
	count     = "short"
	ratio     = "percentunit"
)

// rows are the dashboard, from top to bottom.
func rows() []row {
	return []row{messages(), connections(), services(), chatLog(), stores(), durableEvents(), engines(), accounts(), runtime()}
}

func messages() row {
	sends := `method="chat.send"`
	return row{"Messages", []panel{
		{"Sends", "Sends by how they ended; anything but ok, unavailable, deadline_exceeded and internal is the sender's doing.", perSecond, []line{
			{"{{code}}", rate("code", "parley_rpc_client_requests_total", sends), false},
		}},
		{"From send to acknowledgement", "As the gateways see it: the way to chat, the store and back.", seconds,
			percentiles("ack", "parley_rpc_client_duration_seconds", sends)},
		{"Pushes", "Live pushes that came over NATS for clients, by op; each goes to every socket concerned.", events, []line{
			{"{{op}}", rate("op", "parley_gateway_pushes_total"), false},
		}},
		{"From send to socket", "How old messages are when they are written to a socket, by the clocks of chat and gateway; below it the gateway's own part.", seconds,
			append(percentiles("message", "parley_gateway_message_age_seconds"), percentiles("gateway", "parley_gateway_delivery_duration_seconds")...)},
		{"Repairs", "Messages that clients fetched by seq: gaps, and what they missed while away.", events, []line{
			{"readings", rate("", "parley_gateway_repairs_total"), false},
			{"messages", rate("", "parley_gateway_repaired_messages_total"), false},
			{"heads announced", rate("", "parley_gateway_heads_announced_total"), false},
			{"pushes not sent", rate("", "parley_pushes_lost_total"), false},
		}},
		{"Sends failed", "The ratio that the alerts ParleySendsFail and ParleySendsFailSlowly watch.", ratio, []line{
			{"5 minutes", "parley:sends_failed:ratio_rate5m", false},
			{"1 hour", "parley:sends_failed:ratio_rate1h", false},
			{"6 hours", "parley:sends_failed:ratio_rate6h", false},
		}},
	}}
}

func connections() row {
	return row{"Connections", []panel{
		{"Open", "A gateway with far fewer than the others has just started; load balancers spread new connections only.", count, []line{
			{"{{instance}}", gauge("instance", "parley_gateway_connections"), false},
		}},
		{"Closed, by reason", "drain and age are the gateways' own doing; slow is a client that did not read.", events, []line{
			{"{{code}} {{reason}}", rate("code, reason", "parley_gateway_closes_total"), false},
		}},
		{"Waiting to be written", "Bytes in the queues of all connections of a gateway.", size, []line{
			{"{{instance}}", gauge("instance", "parley_gateway_queue_bytes"), false},
		}},
		{"Waiting to be given out", "Pushes that came over NATS and that the hub has not given to connections yet.", count, []line{
			{"{{instance}}", gauge("instance", "parley_gateway_pushes_waiting"), false},
		}},
		{"Frames", "What clients ask over WebSocket.", perSecond, []line{
			{"{{op}} {{code}}", rate("op, code", "parley_gateway_frames_total"), false},
		}},
		{"Frame latency", "From a frame's arrival until its reply is queued.", seconds, []line{
			{"{{op}} p99", quantile(.99, "op", "parley_gateway_frame_duration_seconds"), true},
		}},
		{"HTTP", "Requests by status.", perSecond, []line{
			{"{{status}}", rate("status", "parley_http_requests_total"), false},
		}},
		{"HTTP latency", "By route.", seconds, []line{
			{"{{route}} p99", quantile(.99, "route", "parley_http_duration_seconds"), true},
		}},
		{"Draining", "Processes that were told to stop and still run.", count, []line{
			{"{{service}} {{instance}}", gauge("service, instance", "parley_draining"), false},
		}},
		{"Readings of rooms", "Of users that are connected, beside those at connecting; more after NATS was away.", events, []line{
			{"{{outcome}}", rate("outcome", "parley_gateway_resyncs_total"), false},
			{"waiting", gauge("", "parley_gateway_resync_waiting"), false},
		}},
	}}
}

func services() row {
	return row{"Services", []panel{
		{"Requests", "Answered by the services, by method.", perSecond, []line{
			{"{{method}}", rate("method", "parley_rpc_server_requests_total"), false},
		}},
		{"Latency", "From arrival to answer, the wait for a worker included.", seconds, []line{
			{"{{method}} p99", quantile(.99, "method", "parley_rpc_server_duration_seconds"), true},
		}},
		{"Errors", "Answers that are not ok.", perSecond, []line{
			{"{{method}} {{code}}", rate("method, code", "parley_rpc_server_requests_total", `code!="ok"`), false},
		}},
		{"In hand and waiting", "Requests that workers run, and that wait for one.", count, []line{
			{"{{service}} in hand", gauge("service", "parley_rpc_server_in_flight"), false},
			{"{{service}} waiting", gauge("service", "parley_rpc_server_queue_length"), false},
		}},
		{"Sent again", "Requests that got no answer, because nobody listened, NATS was away, or a replica died.", events, []line{
			{"{{service}}", rate("service", "parley_rpc_client_retries_total"), false},
		}},
		{"Not ready", "Checks of /readyz that do not hold.", count, []line{
			{"{{service}} {{instance}} {{check}}", "1 - " + selector("parley_health_check") + " > 0", false},
		}},
		{"Versions", "Two at once while a version is rolled out.", count, []line{
			{"{{service}} {{version}}", "count by (service, version) (" + selector("parley_build_info") + ")", false},
		}},
	}}
}

func chatLog() row {
	return row{"Chat log", []panel{
		{"Messages in an insert", "Group commit: the more messages wait, the more go out at once.", count, append(
			[]line{{"mean", mean("parley_chat_insert_messages"), false}}, percentiles("messages", "parley_chat_insert_messages")...)},
		{"Insert latency", "One insert, of however many messages.", seconds, percentiles("insert", "parley_chat_insert_seconds")},
		{"Collisions and retries", "Two replicas that write one room collide, which is safe but slow.", events, []line{
			{"collisions", rate("", "parley_chat_collisions_total"), false},
			{"inserted again", rate("", "parley_chat_retries_total"), false},
			{"unknown outcomes", rate("", "parley_chat_unknown_outcomes_total"), false},
			{"stored already", rate("", "parley_chat_duplicates_total"), false},
		}},
		{"Refused", "Sends refused because too many wait, or because the store is away.", events, []line{
			{"{{reason}}", rate("reason", "parley_chat_refused_sends_total"), false},
		}},
		{"Store away", "1 while inserts fail or stall.", count, []line{
			{"{{instance}}", gauge("instance", "parley_chat_store_away"), false},
		}},
		{"Pages of history", "Where they come from.", events, []line{
			{"{{from}}", rate("from", "parley_chat_history_pages_total"), false},
		}},
		{"Memory of recent messages", "Of all replicas.", size, []line{
			{"{{instance}}", gauge("instance", "parley_chat_recent_bytes"), false},
		}},
	}}
}

func stores() row {
	return row{"Stores", []panel{
		{"Calls", "Of the stores of auth and social, and of chat's beside inserts.", perSecond, []line{
			{"{{service}} {{verb}}", rate("service, verb", "parley_store_duration_seconds_count"), false},
		}},
		{"Latency", "By what was asked.", seconds, []line{
			{"{{service}} {{verb}} p99", quantile(.99, "service, verb", "parley_store_duration_seconds"), true},
		}},
		{"Errors", "Calls that the store did not carry out.", events, []line{
			{"{{service}} {{verb}}", rate("service, verb", "parley_store_errors_total"), false},
		}},
	}}
}

func durableEvents() row {
	return row{"Events", []panel{
		{"Waiting", "Events in the outboxes, as last seen; never more than one batch.", count, []line{
			{"{{service}}", gauge("service", "parley_outbox_pending"), false},
		}},
		{"Age of the oldest", "How long the oldest event waits to get into IM_EVENTS.", seconds, []line{
			{"{{service}}", "max by (service) (" + selector("parley_outbox_oldest_age_seconds") + ")", false},
		}},
		{"Relayed", "Events put into IM_EVENTS, and rounds that failed.", events, []line{
			{"{{service}}", rate("service", "parley_outbox_relayed_total"), false},
			{"{{service}} failed", rate("service", "parley_outbox_errors_total"), false},
		}},
		{"Who relays", "One replica of each service.", count, []line{
			{"{{service}} {{instance}}", selector("parley_outbox_leader") + " == 1", false},
		}},
	}}
}

func engines() row {
	return row{"NATS, Redis, limits", []panel{
		{"NATS connections", "Lost and restored.", events, []line{
			{"{{service}} lost", rate("service", "parley_nats_disconnects_total"), false},
			{"{{service}} restored", rate("service", "parley_nats_reconnects_total"), false},
		}},
		{"NATS errors", "slow_consumer: deliveries were dropped. permission: something asked for what it may not do; always 0.", events, []line{
			{"{{service}} {{kind}}", rate("service, kind", "parley_nats_errors_total"), false},
		}},
		{"Refused by limits", "Calls refused because a limit was reached.", events, []line{
			{"{{bucket}}", rate("bucket", "parley_limit_refused_total"), false},
			{"{{act}}", rate("act", "parley_auth_limited_total"), false},
		}},
		{"Redis away", "1 while Redis does not answer; calls that are let pass unchecked meanwhile.", count, []line{
			{"{{instance}}", gauge("instance", "parley_limit_redis_away"), false},
			{"unchecked {{bucket}}", rate("bucket", "parley_limit_unchecked_total"), false},
		}},
	}}
}

func accounts() row {
	return row{"Accounts", []panel{
		{"Logins", "By how they ended.", events, []line{
			{"{{outcome}}", rate("outcome", "parley_auth_logins_total"), false},
		}},
		{"Wait to hash a password", "Hashing is slow on purpose, and only so many at once.", seconds, percentiles("wait", "parley_auth_hash_wait_seconds")},
		{"Mails", "By how they ended.", events, []line{
			{"{{outcome}}", rate("outcome", "parley_auth_mails_total"), false},
		}},
	}}
}

func runtime() row {
	return row{"Go runtime", []panel{
		{"CPU", "Cores in use.", count, []line{
			{"{{service}} {{instance}}", rate("service, instance", "process_cpu_seconds_total"), false},
		}},
		{"Memory", "Resident; of a process with several services each tells the whole.", size, []line{
			{"{{service}} {{instance}}", selector("process_resident_memory_bytes"), false},
		}},
		{"Goroutines", "A gateway has two or three for each connection.", count, []line{
			{"{{service}} {{instance}}", selector("go_goroutines"), false},
		}},
		{"Garbage collection", "The longest pauses.", seconds, []line{
			{"{{service}} {{instance}}", selector("go_gc_duration_seconds", `quantile="1"`), false},
		}},
		{"Open files", "Part of what is allowed.", ratio, []line{
			{"{{service}} {{instance}}", selector("process_open_fds") + " / " + selector("process_max_fds"), false},
		}},
	}}
}
