package gateway

import (
	"errors"
	"fmt"
	"time"
)

// SocketConfig holds what bounds WebSocket connections.
type SocketConfig struct {
	FrameBytes      int           `envconfig:"FRAME_BYTES" default:"65536" desc:"The largest frame that a client may send, in bytes. A larger one closes the connection."`
	QueueBytes      int           `envconfig:"QUEUE_BYTES" default:"1048576" desc:"How much may wait to be written to one connection, in bytes, the list of rooms that it begins with aside. More closes it as too slow (4408)."`
	Heartbeat       time.Duration `envconfig:"HEARTBEAT" default:"25s" desc:"How often the server pings, to the second; 2s at least. A peer silent for two heartbeats is gone."`
	WriteTimeout    time.Duration `envconfig:"WRITE_TIMEOUT" default:"10s" desc:"How long one write may take, of one frame or of several small ones."`
	AuthTimeout     time.Duration `envconfig:"AUTH_TIMEOUT" default:"10s" desc:"How long a connection may stay unauthenticated before it is closed (4401)."`
	CallTimeout     time.Duration `envconfig:"CALL_TIMEOUT" default:"5s" desc:"How long the services may take to carry out one frame."`
	MaxConns        int           `envconfig:"MAX_CONNS" default:"100000" desc:"Connections in all that this gateway holds; further ones are answered 503. It is less by itself when the process may not have 1,000 files open besides; the log warns if another number than the default was set."`
	MaxUserConns    int           `envconfig:"MAX_USER_CONNS" default:"20" desc:"Connections of one user on this gateway; further ones are answered 429, or closed (4429) once they authenticate."`
	MaxAddressConns int           `envconfig:"MAX_ADDRESS_CONNS" default:"1000" desc:"Connections from one address on this gateway; further ones are answered 429. Loopback does not count unless GATEWAY_LIMIT_LOOPBACK is set."`

	ConnectsPerMinute        float64 `envconfig:"CONNECTS_PER_MINUTE" default:"60" desc:"Connections a minute that one user may open on this gateway on average; further ones are answered 429, or closed (4429) once they authenticate."`
	ConnectBurst             int     `envconfig:"CONNECT_BURST" default:"100" desc:"Connections that one user may open on this gateway at once, one after the other."`
	AddressConnectsPerMinute float64 `envconfig:"ADDRESS_CONNECTS_PER_MINUTE" default:"1200" desc:"Connections a minute that may be opened from one address on this gateway on average; further ones are answered 429. Loopback does not count unless GATEWAY_LIMIT_LOOPBACK is set."`
	AddressConnectBurst      int     `envconfig:"ADDRESS_CONNECT_BURST" default:"2000" desc:"Connections that may be opened from one address on this gateway at once: all that it may have, twice."`

	FramesPerSecond float64       `envconfig:"FRAMES_PER_SECOND" default:"400" desc:"Frames a second that one connection may send on average; more closes it (4429)."`
	FrameBurst      int           `envconfig:"FRAME_BURST" default:"800" desc:"Frames that one connection may send at once."`
	MaxBadFrames    int           `envconfig:"MAX_BAD_FRAMES" default:"20" desc:"Frames that can't be understood before the connection is closed (4429)."`
	MaxConnAge      time.Duration `envconfig:"MAX_CONN_AGE" default:"0s" desc:"How old a connection may become, give or take a tenth, before it is sent away as when the gateway stops, so that new replicas get their share. 0: as old as it likes."`
	DrainTime       time.Duration `envconfig:"DRAIN_TIME" default:"5s" desc:"Over how long connections are sent away when the gateway stops, each at a moment that it is told; the last have a second more to leave. With GATEWAY_STOP_TIMEOUT it must stay below the time that the process is given to stop, which Kubernetes calls terminationGracePeriodSeconds."`
	ResyncInterval  time.Duration `envconfig:"RESYNC_INTERVAL" default:"1m" desc:"How often every connected user's rooms and heads are read again, evenly over that time: of 10,000 users in a minute 167 in a second, up to 16 in one call."`
}

// minHeartbeat leaves a peer a second to answer: pings go out up to a sweep
// late, and the peer has two heartbeats.
const minHeartbeat = 2 * sweepInterval

// check finds settings that make no sense, all of them.
func (c SocketConfig) check() error {
	var errs []error
	positive := func(ok bool, name string) {
		if !ok {
			errs = append(errs, fmt.Errorf("GATEWAY_%s must be more than 0", name))
		}
	}
	positive(c.FrameBytes > 0, "FRAME_BYTES")
	positive(c.QueueBytes > 0, "QUEUE_BYTES")
	positive(c.WriteTimeout > 0, "WRITE_TIMEOUT")
	positive(c.AuthTimeout > 0, "AUTH_TIMEOUT")
	positive(c.CallTimeout > 0, "CALL_TIMEOUT")
	positive(c.MaxConns > 0, "MAX_CONNS")
	positive(c.MaxUserConns > 0, "MAX_USER_CONNS")
	positive(c.MaxAddressConns > 0, "MAX_ADDRESS_CONNS")
	positive(c.ConnectsPerMinute > 0, "CONNECTS_PER_MINUTE")
	positive(c.ConnectBurst > 0, "CONNECT_BURST")
	positive(c.AddressConnectsPerMinute > 0, "ADDRESS_CONNECTS_PER_MINUTE")
	positive(c.AddressConnectBurst > 0, "ADDRESS_CONNECT_BURST")
	positive(c.FramesPerSecond > 0, "FRAMES_PER_SECOND")
	positive(c.FrameBurst > 0, "FRAME_BURST")
	positive(c.ResyncInterval > 0, "RESYNC_INTERVAL")
	if c.Heartbeat < minHeartbeat {
		errs = append(errs, fmt.Errorf("GATEWAY_HEARTBEAT must be at least %v", minHeartbeat))
	}
	if c.MaxBadFrames < 0 {
		errs = append(errs, errors.New("GATEWAY_MAX_BAD_FRAMES must not be negative"))
	}
	if c.MaxConnAge < 0 {
		errs = append(errs, errors.New("GATEWAY_MAX_CONN_AGE must not be negative"))
	}
	if c.DrainTime < 0 {
		errs = append(errs, errors.New("GATEWAY_DRAIN_TIME must not be negative"))
	}
	return errors.Join(errs...)
}
