package social

import (
	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Config is social's settings. Their variables begin with SOCIAL_, except
// those that all services share.
type Config struct {
	Store string `envconfig:"STORE" default:"sqlite:data/social.db" form:"begins=sqlite:,mongodb://,mongodb+srv://" desc:"Where friendships and groups are kept: mongodb://… for many machines, sqlite:PATH for one."`

	MaxMembers int `envconfig:"MAX_MEMBERS" default:"2000" desc:"Members of one group. A group with its members is one document of about 150 bytes a member."`
	MaxRooms   int `envconfig:"MAX_ROOMS" default:"5000" desc:"Rooms of one user, direct ones included: it bounds what connecting costs."`

	Workers  int `envconfig:"WORKERS" default:"256" desc:"Requests answered at the same time."`
	RPCQueue int `envconfig:"RPC_QUEUE" default:"1024" desc:"Requests that wait for a worker; one more is refused as unavailable."`

	NATS      bus.Config
	Stream    bus.StreamConfig
	Telemetry telemetry.Config
}
