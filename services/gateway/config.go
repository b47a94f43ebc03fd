package gateway

import (
	"errors"
	"fmt"
	"time"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Config holds every setting of a gateway; its variables begin with GATEWAY_,
// but for those that all services share.
type Config struct {
	Addr     string `envconfig:"ADDR" default:"127.0.0.1:8080" form:"address" desc:"Where HTTP and WebSocket are served, host:port."`
	RedisURL string `envconfig:"REDIS_URL" shared:"true" default:"redis://127.0.0.1:6379/0" form:"begins=redis://,rediss://" desc:"Redis, for the limits: redis://user:password@host:port/db, or rediss:// for TLS."`
	// With it TLS is demanded.
	RedisCAFile string `envconfig:"REDIS_CA_FILE" shared:"true" desc:"PEM file of certificates that may sign Redis's, besides the system's; goes with rediss://."`

	Origins        []string `envconfig:"ORIGINS" default:"loopback" desc:"Origins of web pages that may call, such as https://chat.example.org, separated by commas; loopback stands for those of this machine, * for any. A page of the gateway's own origin always may."`
	TrustedProxies []string `envconfig:"TRUSTED_PROXIES" desc:"Addresses or networks (CIDR) of proxies whose X-Forwarded-For is believed, separated by commas. Empty: none."`

	HSTS string `envconfig:"HSTS" default:"max-age=31536000; includeSubDomains" desc:"Strict-Transport-Security of answers to clients who came by TLS, as X-Forwarded-Proto of a trusted proxy tells. Empty: none is sent."`

	BodyBytes   int `envconfig:"BODY_BYTES" default:"65536" desc:"The largest body of a request, in bytes. A larger one is answered 413."`
	HeaderBytes int `envconfig:"HEADER_BYTES" default:"4096" desc:"The largest request line and header, in bytes; each connection holds a buffer of this size, unless it is a WebSocket."`

	ReadTimeout    time.Duration `envconfig:"READ_TIMEOUT" default:"10s" desc:"How long a client may take to send a request."`
	AnswerTimeout  time.Duration `envconfig:"ANSWER_TIMEOUT" default:"30s" desc:"How long a client may take to read an answer."`
	IdleTimeout    time.Duration `envconfig:"IDLE_TIMEOUT" default:"90s" desc:"How long a connection may wait for its next request."`
	RequestTimeout time.Duration `envconfig:"REQUEST_TIMEOUT" default:"10s" desc:"How long the services may take to carry out one HTTP request; more is answered 504."`
	StopTimeout    time.Duration `envconfig:"STOP_TIMEOUT" default:"2s" desc:"How long requests in hand may take when the gateway stops, after the WebSockets have gone."`

	Limits

	KeysInterval     time.Duration `envconfig:"KEYS_INTERVAL" default:"1m" desc:"How often the keys of access tokens are read again; an unknown key is looked up at once."`
	RevokedInterval  time.Duration `envconfig:"REVOKED_INTERVAL" default:"1m" desc:"How often the list of ended sessions is read again; they are also told of as they end."`
	ReplicasInterval time.Duration `envconfig:"REPLICAS_INTERVAL" default:"2s" desc:"How often the live replicas of chat are counted, to keep each room with one of them."`

	SocketConfig

	NATS      bus.Config
	Telemetry telemetry.Config
}

// Limits are how often clients may call. All gateways on one Redis count
// together.
type Limits struct {
	SendsPerSecond float64 `envconfig:"SENDS_PER_SECOND" default:"200" desc:"Messages a second that one user may send on average, over HTTP and WebSocket together."`
	SendBurst      int     `envconfig:"SEND_BURST" default:"400" desc:"Messages that one user may send at once."`
	CallsPerSecond float64 `envconfig:"CALLS_PER_SECOND" default:"200" desc:"Other authenticated calls a second of one user on average, over HTTP and WebSocket together."`
	CallBurst      int     `envconfig:"CALL_BURST" default:"400" desc:"Other authenticated calls of one user at once."`
	OpensPerMinute float64 `envconfig:"OPENS_PER_MINUTE" default:"120" desc:"Calls a minute without authentication, such as token refreshes, from one address on average."`
	OpenBurst      int     `envconfig:"OPEN_BURST" default:"60" desc:"Calls without authentication from one address at once."`
	GuessesPerMin  float64 `envconfig:"GUESSES_PER_MINUTE" default:"30" desc:"Calls a minute that prove a password or a code, or ask for a code, from one address on average. They are refused while Redis is away."`
	GuessBurst     int     `envconfig:"GUESS_BURST" default:"30" desc:"Calls that prove a password or a code, or ask for a code, from one address at once."`

	SearchesPerMin float64 `envconfig:"SEARCHES_PER_MINUTE" default:"60" desc:"Users that one user may look for by account, a minute on average."`
	SearchBurst    int     `envconfig:"SEARCH_BURST" default:"120" desc:"Users that one user may look for by account at once."`
	FriendsPerMin  float64 `envconfig:"FRIENDS_PER_MINUTE" default:"60" desc:"Friends that one user may add, a minute on average; who is not found counts too."`
	FriendBurst    int     `envconfig:"FRIEND_BURST" default:"500" desc:"Friends that one user may add at once: an address book."`
	GroupsPerMin   float64 `envconfig:"GROUPS_PER_MINUTE" default:"10" desc:"Groups that one user may create, a minute on average."`
	GroupBurst     int     `envconfig:"GROUP_BURST" default:"100" desc:"Groups that one user may create at once."`
	JoinsPerMin    float64 `envconfig:"JOINS_PER_MINUTE" default:"300" desc:"Members that one user may put into groups, a minute on average, those that a group is created with too."`
	JoinBurst      int     `envconfig:"JOIN_BURST" default:"2000" desc:"Members that one user may put into groups at once: a group of the largest size. More at once counts as so many."`

	LimitLoopback bool `envconfig:"LIMIT_LOOPBACK" default:"false" desc:"Count calls and connections from loopback too. It is off because behind a proxy on the same machine all of them would share one limit."`
}

// check finds settings that make no sense, all of them.
func (c Config) check() error {
	var errs []error
	positive := func(ok bool, name string) {
		if !ok {
			errs = append(errs, fmt.Errorf("GATEWAY_%s must be more than 0", name))
		}
	}
	positive(c.BodyBytes > 0, "BODY_BYTES")
	positive(c.HeaderBytes > 0, "HEADER_BYTES")
	positive(c.ReadTimeout > 0, "READ_TIMEOUT")
	positive(c.AnswerTimeout > 0, "ANSWER_TIMEOUT")
	positive(c.IdleTimeout > 0, "IDLE_TIMEOUT")
	positive(c.RequestTimeout > 0, "REQUEST_TIMEOUT")
	positive(c.SendsPerSecond > 0, "SENDS_PER_SECOND")
	positive(c.SendBurst > 0, "SEND_BURST")
	positive(c.CallsPerSecond > 0, "CALLS_PER_SECOND")
	positive(c.CallBurst > 0, "CALL_BURST")
	positive(c.OpensPerMinute > 0, "OPENS_PER_MINUTE")
	positive(c.OpenBurst > 0, "OPEN_BURST")
	positive(c.GuessesPerMin > 0, "GUESSES_PER_MINUTE")
	positive(c.GuessBurst > 0, "GUESS_BURST")
	positive(c.SearchesPerMin > 0, "SEARCHES_PER_MINUTE")
	positive(c.SearchBurst > 0, "SEARCH_BURST")
	positive(c.FriendsPerMin > 0, "FRIENDS_PER_MINUTE")
	positive(c.FriendBurst > 0, "FRIEND_BURST")
	positive(c.GroupsPerMin > 0, "GROUPS_PER_MINUTE")
	positive(c.GroupBurst > 0, "GROUP_BURST")
	positive(c.JoinsPerMin > 0, "JOINS_PER_MINUTE")
	positive(c.JoinBurst > 0, "JOIN_BURST")
	positive(c.KeysInterval > 0, "KEYS_INTERVAL")
	positive(c.RevokedInterval > 0, "REVOKED_INTERVAL")
	positive(c.ReplicasInterval > 0, "REPLICAS_INTERVAL")
	if c.StopTimeout < 0 {
		errs = append(errs, errors.New("GATEWAY_STOP_TIMEOUT must not be negative"))
	}
	return errors.Join(append(errs, c.SocketConfig.check())...)
}
