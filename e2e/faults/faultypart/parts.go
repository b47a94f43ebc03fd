package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/parley-im/parley/e2e/faults/faultystore"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/auth"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/gateway"
	"github.com/parley-im/parley/services/social"
)

// configure reads a service's settings, of which one part is the telemetry's.
func configure(ctx context.Context, service contract.Service, cfg any, own *telemetry.Config) (*telemetry.Telemetry, error) {
	if err := run.Config(strings.ToUpper(string(service)), cfg); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return telemetry.New(ctx, service, run.Version, *own)
}

func authPart(ctx context.Context, p place) (part, error) {
	var cfg auth.Config
	tel, err := configure(ctx, contract.Auth, &cfg, &cfg.Telemetry)
	if err != nil {
		return part{}, err
	}
	cfg.NATS, cfg.RedisURL, cfg.KeySecret = p.bus(cfg.NATS, contract.Auth), p.redisURL, p.secrets.KeyEncryption
	p.ops.Handle("POST /faults", p.clock)
	return part{tel, func(ctx context.Context) error {
		return auth.Run(ctx, cfg, auth.Deps{Telemetry: tel, Now: p.clock.Now})
	}}, nil
}

func socialPart(ctx context.Context, p place) (part, error) {
	var cfg social.Config
	tel, err := configure(ctx, contract.Social, &cfg, &cfg.Telemetry)
	if err != nil {
		return part{}, err
	}
	cfg.NATS = p.bus(cfg.NATS, contract.Social)
	p.ops.Handle("POST /faults", p.clock)
	return part{tel, func(ctx context.Context) error {
		return social.Run(ctx, cfg, social.Deps{Telemetry: tel, Now: p.clock.Now})
	}}, nil
}

func gatewayPart(ctx context.Context, p place) (part, error) {
	var cfg gateway.Config
	tel, err := configure(ctx, contract.Gateway, &cfg, &cfg.Telemetry)
	if err != nil {
		return part{}, err
	}
	cfg.NATS, cfg.RedisURL, cfg.Addr = p.bus(cfg.NATS, contract.Gateway), p.redisURL, p.addr
	p.ops.Handle("POST /faults", p.clock)
	return part{tel, func(ctx context.Context) error {
		return gateway.Run(ctx, cfg, gateway.Deps{Telemetry: tel, Now: p.clock.Now})
	}}, nil
}

func chatPart(ctx context.Context, p place) (part, error) {
	var cfg chat.Config
	tel, err := configure(ctx, contract.Chat, &cfg, &cfg.Telemetry)
	if err != nil {
		return part{}, err
	}
	wrap, err := sabotaged(ctx, cfg.Store)
	if err != nil {
		return part{}, err
	}
	cfg.NATS = p.bus(cfg.NATS, contract.Chat)
	return part{tel, func(ctx context.Context) error {
		return chat.Run(ctx, cfg, chat.Deps{Telemetry: tel, Now: p.clock.Now, WrapStore: func(inner chat.Store) chat.Store {
			store := faultystore.New(wrap(inner), p.clock)
			p.ops.Handle("POST /faults", store)
			return store
		}})
	}}, nil
}

// sabotaged breaks chat as the environment says.
func sabotaged(ctx context.Context, store string) (wrap func(chat.Store) chat.Store, err error) {
	wrap = func(s chat.Store) chat.Store { return s }
	switch what := os.Getenv("FAULTYPART_SABOTAGE"); what {
	case "":
		return wrap, nil
	case faultystore.AckBeforeStore:
		return faultystore.AckFirst, nil
	case faultystore.NoUniqueKey:
		made, err := chat.OpenStore(ctx, store)
		if err != nil {
			return nil, err
		}
		return wrap, errors.Join(made.Close(), faultystore.DropUniqueKey(ctx, store))
	default:
		return nil, fmt.Errorf("FAULTYPART_SABOTAGE: there is no %q", what)
	}
}
