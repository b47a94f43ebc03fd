package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/auth"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/gateway"
	"github.com/parley-im/parley/services/social"
)

// partGateway is the part that may run several times, once an address.
const partGateway = string(contract.Gateway)

// drainBudget is the most that a gateway may take to send its sockets away
// here, where everything has to stop within stopBudget.
const drainBudget = 5 * time.Second

// house knows how each service is set when it runs here: by its own
// environment, but with the stores and servers of this data directory.
type house struct {
	flags    flags
	settings Settings
	servers  *servers
	gateways []string // the addresses where they listen, as parts made them
}

// parts builds what the flags ask for, in the order of their start.
func (h *house) parts(ctx context.Context) (services, gateways []part, err error) {
	build := map[contract.Service]func(context.Context) (part, error){
		contract.Auth: h.auth, contract.Social: h.social, contract.Chat: h.chat,
	}
	for _, service := range contract.Services() {
		if !h.flags.runs(string(service)) || build[service] == nil {
			continue
		}
		p, err := build[service](ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", service, err)
		}
		services = append(services, p)
	}
	if h.flags.runs(partGateway) {
		for i, addr := range h.flags.addrs {
			p, err := h.gateway(ctx, i, addr)
			if err != nil {
				return nil, nil, fmt.Errorf("gateway: %w", err)
			}
			gateways = append(gateways, p)
		}
	}
	return services, gateways, nil
}

func (h *house) auth(ctx context.Context) (part, error) {
	var cfg auth.Config
	tel, err := configure(ctx, contract.Auth, contract.Auth, &cfg, &cfg.Telemetry)
	if err != nil {
		return part{}, err
	}
	cfg.Store = h.settings.storeURL(contract.Auth, h.flags.data)
	cfg.NATS = h.servers.bus(cfg.NATS, contract.Auth)
	cfg.RedisURL = h.servers.redisURL
	if cfg.KeySecret == "" {
		cfg.KeySecret = h.servers.secrets.KeyEncryption
	}
	cfg.CodeLog = cfg.SMTPURL == "" // a laptop has no mail server
	return servicePart(contract.Auth, tel, func(ctx context.Context) error {
		return auth.Run(ctx, cfg, auth.Deps{Telemetry: tel})
	}), nil
}

func (h *house) social(ctx context.Context) (part, error) {
	var cfg social.Config
	tel, err := configure(ctx, contract.Social, contract.Social, &cfg, &cfg.Telemetry)
	if err != nil {
		return part{}, err
	}
	cfg.Store = h.settings.storeURL(contract.Social, h.flags.data)
	cfg.NATS = h.servers.bus(cfg.NATS, contract.Social)
	return servicePart(contract.Social, tel, func(ctx context.Context) error {
		return social.Run(ctx, cfg, social.Deps{Telemetry: tel})
	}), nil
}

func (h *house) chat(ctx context.Context) (part, error) {
	var cfg chat.Config
	tel, err := configure(ctx, contract.Chat, contract.Chat, &cfg, &cfg.Telemetry)
	if err != nil {
		return part{}, err
	}
	cfg.Store = h.settings.storeURL(contract.Chat, h.flags.data)
	cfg.NATS = h.servers.bus(cfg.NATS, contract.Chat)
	return servicePart(contract.Chat, tel, func(ctx context.Context) error {
		return chat.Run(ctx, cfg, chat.Deps{Telemetry: tel})
	}), nil
}

// gateway builds the gateway of one address. Its name in logs and metrics
// tells it from the others of this process.
func (h *house) gateway(ctx context.Context, i int, addr string) (part, error) {
	name := contract.Gateway
	if i > 0 {
		name = contract.Service(fmt.Sprintf("%s-%d", name, i+1))
	}
	var cfg gateway.Config
	tel, err := configure(ctx, contract.Gateway, name, &cfg, &cfg.Telemetry)
	if err != nil {
		return part{}, err
	}
	listener, err := listenFree(ctx, addr)
	if err != nil {
		return part{}, err
	}
	if listener != nil {
		addr = listener.Addr().String()
	}
	h.gateways = append(h.gateways, addr)
	cfg.Addr = addr
	cfg.DrainTime = min(cfg.DrainTime, drainBudget)
	cfg.NATS = h.servers.bus(cfg.NATS, contract.Gateway)
	cfg.RedisURL = h.servers.redisURL
	return part{
		name: string(name), tel: tel, answers: gatewayAnswers(tel, addr),
		run: func(ctx context.Context) error {
			return gateway.Run(ctx, cfg, gateway.Deps{Telemetry: tel, Listener: listener})
		},
	}, nil
}

// listenFree opens a free port if the address has port 0: its number must be
// known before the gateway is asked whether it answers. Nil: the gateway opens
// the address itself, once it can check tokens.
func listenFree(ctx context.Context, addr string) (net.Listener, error) {
	if _, port, err := net.SplitHostPort(addr); err != nil || port != "0" {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open a free port: %w", err)
	}
	return listener, nil
}

func servicePart(service contract.Service, tel *telemetry.Telemetry, serve func(context.Context) error) part {
	return part{name: string(service), tel: tel, run: serve, answers: tel.Health.Ready}
}

// configure reads a service's own settings and starts its telemetry, which is
// a part of them, under the name given.
func configure(ctx context.Context, service, name contract.Service, cfg any, part *telemetry.Config) (*telemetry.Telemetry, error) {
	if err := run.Config(strings.ToUpper(string(service)), cfg); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	tel, err := telemetry.New(ctx, name, run.Version, *part)
	if err != nil {
		return nil, err
	}
	tel.Health.Starting() // the service says when it has started
	return tel, nil
}
