package limitsdoc

import (
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
)

const (
	told     = "429"
	toldOrWS = "429, or the error on WebSocket"
	closed   = "4429 once they authenticate by frame, else 429"
)

var sections = []section{
	{
		"How often",
		"Average and burst are a bucket: full at first, refilled steadily. All gateways on one Redis count together, except connections and frames, which each counts for itself.",
		[]row{
			{"codes mailed", "e-mail", "{} a minute, {} an hour", []string{"AUTH_CODES_PER_MINUTE", "AUTH_CODES_PER_HOUR"}, told, "TestSendCode_limits"},
			{"codes asked for", "address", "{} an hour", []string{"AUTH_ADDRESS_CODES_PER_HOUR"}, told, "TestSendCode_limits"},
			{"tries of one code", "code", "5", nil, "400 on `code`, as for a wrong one: ask for a new one", "TestLimits_are_told"},
			{"wrong passwords", "account and address", "{} in 15 minutes", []string{"AUTH_LOGIN_FAILURES"}, told, "TestLogin_throttle"},
			{"wrong passwords", "account, from all addresses that have not logged in to it", "{} in an hour", []string{"AUTH_ACCOUNT_FAILURES"}, told, "TestLogin_guessed_from_everywhere"},
			{"wrong passwords and codes", "address", "{} in 15 minutes", []string{"AUTH_ADDRESS_FAILURES"}, told, "TestLogin_throttle"},
			{"calls that prove a password or a code, or ask for a code", "address", "{} a minute, {} at once", []string{"GATEWAY_GUESSES_PER_MINUTE", "GATEWAY_GUESS_BURST"}, told, "TestLimits_of_an_address"},
			{"other calls without authentication", "address", "{} a minute, {} at once", []string{"GATEWAY_OPENS_PER_MINUTE", "GATEWAY_OPEN_BURST"}, told, "TestLimits_of_an_address"},
			{"messages sent", "user", "{} a second, {} at once", []string{"GATEWAY_SENDS_PER_SECOND", "GATEWAY_SEND_BURST"}, toldOrWS, "TestLimits_are_told"},
			{"other calls", "user", "{} a second, {} at once", []string{"GATEWAY_CALLS_PER_SECOND", "GATEWAY_CALL_BURST"}, toldOrWS, "TestSocket_calls_are_limited_per_user"},
			{"users looked for by account", "user", "{} a minute, {} at once", []string{"GATEWAY_SEARCHES_PER_MINUTE", "GATEWAY_SEARCH_BURST"}, told, "TestLimits_of_a_user"},
			{"friends added", "user", "{} a minute, {} at once", []string{"GATEWAY_FRIENDS_PER_MINUTE", "GATEWAY_FRIEND_BURST"}, told, "TestLimits_of_a_user"},
			{"groups created", "user", "{} a minute, {} at once", []string{"GATEWAY_GROUPS_PER_MINUTE", "GATEWAY_GROUP_BURST"}, told, "TestLimits_of_a_user"},
			{"members put into groups", "user", "{} a minute, {} at once", []string{"GATEWAY_JOINS_PER_MINUTE", "GATEWAY_JOIN_BURST"}, told, "TestLimits_of_a_user"},
			{"connections opened", "user", "{} a minute, {} at once", []string{"GATEWAY_CONNECTS_PER_MINUTE", "GATEWAY_CONNECT_BURST"}, closed, "TestSocket_connects_too_often"},
			{"connections opened", "address", "{} a minute, {} at once", []string{"GATEWAY_ADDRESS_CONNECTS_PER_MINUTE", "GATEWAY_ADDRESS_CONNECT_BURST"}, told, "TestSocket_connects_too_often"},
			{"frames", "connection", "{} a second, {} at once", []string{"GATEWAY_FRAMES_PER_SECOND", "GATEWAY_FRAME_BURST"}, "4429; its text says when to connect again", "TestSocket_frames_too_fast"},
			{"frames that make no sense", "connection", "{}", []string{"GATEWAY_MAX_BAD_FRAMES"}, "4429; its text says when to connect again", "TestSocket_ends_are_counted"},
		},
	},
	{
		"How many",
		"Of these there are so many at any time.",
		[]row{
			{"sessions", "user", "{}", []string{"AUTH_MAX_SESSIONS"}, "none: the longest unused ends", "TestSessions"},
			{"passwords hashed, each replica of auth", "all", "{}, waiting {}; 0 stands for the processors", []string{"AUTH_HASH_AT_ONCE", "AUTH_HASH_WAIT"}, told, "TestHash_is_bounded"},
			{"rooms, direct ones too", "user", "{}", []string{"SOCIAL_MAX_ROOMS"}, "429; waiting does not help, leaving does", "TestLimits_are_told"},
			{"members", "group", "{}", []string{"SOCIAL_MAX_MEMBERS"}, "400 on `member_ids`, or 409 `failed_precondition`", "TestLimits_are_told"},
			{"connections, each gateway", "user", "{}", []string{"GATEWAY_MAX_USER_CONNS"}, closed, "TestSocket_cap_per_user"},
			{"connections, each gateway", "address", "{}", []string{"GATEWAY_MAX_ADDRESS_CONNS"}, told, "TestSocket_cap_per_address"},
			{"connections, each gateway", "all", "{}", []string{"GATEWAY_MAX_CONNS"}, "503 with `Retry-After`", "TestSocket_cap_in_all"},
			{"bytes that wait to be written", "connection", "{}", []string{"GATEWAY_QUEUE_BYTES"}, "4408: connect and catch up", "TestSocket_slow_reader_is_closed_and_nobody_else"},
		},
	},
	{
		"How large, how long",
		"These have no time to retry: the same again is refused again.",
		[]row{
			{"a body", "request", "{} bytes", []string{"GATEWAY_BODY_BYTES"}, "413", "TestHostile_bodies"},
			{"request line and header", "request", "{} bytes", []string{"GATEWAY_HEADER_BYTES"}, "431", "TestHostile_headers"},
			{"a frame", "connection", "{} bytes", []string{"GATEWAY_FRAME_BYTES"}, "close code 1009", "TestHostile_sockets"},
			{"frames that a message is split into", "message", "4096", nil, "close code 1009", "TestInbound_frames_of_a_message_are_bounded"},
			{"a text", "message", fmt.Sprint(contract.MaxTextLength, " characters"), nil, "400 on `content.text`", "TestCheckSend"},
			{"an id, a `client_id`", "", fmt.Sprint(contract.MaxIDLength, " of `A-Z`, `a-z`, `0-9`, `_` and `-`"), nil, "404, or 400 on its field", "TestHostile_ids"},
			{"a page, a list of ids", "request", fmt.Sprint(contract.MaxPage), nil, "400 on its field", "TestHTTP_refusals_are_problems"},
			{"to send a request", "connection", "{}", []string{"GATEWAY_READ_TIMEOUT"}, "408, or the connection is closed", "TestHostile_slow_requests"},
			{"to authenticate", "connection", "{}", []string{"GATEWAY_AUTH_TIMEOUT"}, "4401", "TestHostile_silent_sockets"},
			{"to answer a ping", "connection", "two of {}", []string{"GATEWAY_HEARTBEAT"}, "1001", "TestSocket_half_open"},
		},
	},
}
