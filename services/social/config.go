package social

import (
	"errors"
	"fmt"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Config is social's settings. Their variables begin with SOCIAL_, except
// those that all services share.
type Config struct {
	Store string `envconfig:"STORE" default:"sqlite:data/social.db" form:"begins=sqlite:,mongodb://,mongodb+srv://" desc:"Where friendships and groups are kept: mongodb://… for many machines, sqlite:PATH for one."`

	MaxMembers int `envconfig:"MAX_MEMBERS" default:"2000" desc:"Members of one group. A group with its members is one document of about 150 bytes a member, and one event; 5000 at most."`
	MaxRooms   int `envconfig:"MAX_ROOMS" default:"5000" desc:"Rooms of one user, direct ones included: it bounds what connecting costs; 20000 at most."`

	Workers  int `envconfig:"WORKERS" default:"256" desc:"Requests answered at the same time."`
	RPCQueue int `envconfig:"RPC_QUEUE" default:"1024" desc:"Requests that wait for a worker; one more is refused as unavailable."`

	NATS      bus.Config
	Stream    bus.StreamConfig
	Telemetry telemetry.Config
}

const (
	// memberLimit is the most that MaxMembers may be: the event that a group was
	// made lists all its members, in one message of NATS.
	memberLimit = 5_000
	// roomLimit is the most that MaxRooms may be: the first frame of a connection
	// lists all rooms of its user, and clients take 8 MB.
	roomLimit = 20_000
)

// check finds settings that make no sense, all of them.
func (c Config) check() error {
	var errs []error
	within := func(value, most int, name string) {
		if value < 1 || value > most {
			errs = append(errs, fmt.Errorf("SOCIAL_%s must be 1 to %d", name, most))
		}
	}
	within(c.MaxMembers, memberLimit, "MAX_MEMBERS")
	within(c.MaxRooms, roomLimit, "MAX_ROOMS")
	return errors.Join(errs...)
}
