package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
)

// connectWait bounds the way to NATS.
const connectWait = 3 * time.Second

// admin is a connection to NATS as the user admin.
type admin struct {
	cfg     bus.Config
	nc      *nats.Conn
	calls   *rpc.Client
	timeout time.Duration
}

// connect connects as the settings say. What NATS refuses later is told to
// complaints: a call that is not permitted is answered by nobody.
func connect(ctx context.Context, s *settings, complaints io.Writer) (*admin, error) {
	cfg, err := s.natsConfig()
	if err != nil {
		return nil, err
	}
	tel := telemetry.Discard(contract.Admin)
	tel.Log = slog.New(slog.NewTextHandler(complaints, &slog.HandlerOptions{Level: slog.LevelError}))
	wait, cancel := context.WithTimeout(ctx, connectWait)
	defer cancel()
	nc, err := bus.Connect(wait, cfg, contract.Admin, tel)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		text := err.Error()
		if !s.found() {
			text += "; nothing says which installation is meant: --data, --nats or NATS_URL does"
		}
		return nil, fault.New(fault.Unavailable, text)
	}
	return &admin{cfg: cfg, nc: nc, calls: rpc.NewClient(nc, rpc.ClientOptions{Timeout: s.timeout}), timeout: s.timeout}, nil
}

// withAdmin is a command that asks services.
func withAdmin(s *settings, f func(c *cobra.Command, a *admin, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		if s.by == "" {
			return usage(errors.New("say who you are: --by"))
		}
		a, err := connect(c.Context(), s, c.ErrOrStderr())
		if err != nil {
			return err
		}
		defer a.close()
		return f(c, a, args)
	}
}

func (a *admin) close() { a.nc.Close() }

// call calls a method, for as long as one question may take.
func call[Req, Rep any](ctx context.Context, a *admin, m contract.Method[Req, Rep], req Req, opts ...rpc.CallOption) (Rep, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	return rpc.Call(ctx, a.calls, m, req, opts...)
}
