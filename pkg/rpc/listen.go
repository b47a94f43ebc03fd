package rpc

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Limits of what NATS may hold for one endpoint before the server takes it.
// Taking never blocks, so they are reached only when this process stands
// still; beyond them NATS drops requests and their callers time out.
const (
	pendingMessages = 1 << 20
	pendingBytes    = 256 << 20
)

// flushTimeout bounds one round trip to NATS.
const flushTimeout = 2 * time.Second

// listen makes the server known and subscribes to its subjects; it returns
// once NATS has confirmed them all, which while NATS is away may last until
// ctx ends.
func (s *Server) listen(ctx context.Context) (micro.Service, error) {
	service, err := micro.AddService(s.nc, micro.Config{
		Name:         string(s.o.Service),
		Version:      semver(s.o.Version),
		Metadata:     s.metadata(),
		StatsHandler: s.stats,
		DoneHandler:  func(micro.Service) { close(s.stopped) },
		ErrorHandler: s.natsError,
	})
	if err != nil {
		return nil, fmt.Errorf("announce %s: %w", s.o.Service, err)
	}
	for _, ep := range s.endpoints {
		if err := s.subscribe(ctx, service, ep); err != nil {
			return service, err
		}
	}
	return service, nil
}

// metadata tells which replica this is and what it was built from, so that
// `nats micro info` shows how far a rolling update has come.
func (s *Server) metadata() map[string]string {
	return map[string]string{
		contract.MetadataReplica:  s.replica,
		contract.MetadataVersion:  s.o.Version,
		contract.MetadataRevision: telemetry.Revision(),
	}
}

// subscribe serves one method, for any caller in the queue group and, when it
// is pinned, for those who prefer this replica.
func (s *Server) subscribe(ctx context.Context, service micro.Service, ep *endpoint) error {
	handler := func(preferred bool) micro.Handler {
		return micro.HandlerFunc(func(req micro.Request) { s.accept(ep, req, preferred) })
	}
	limits := micro.WithEndpointPendingLimits(pendingMessages, pendingBytes)
	err := service.AddEndpoint(ep.name, handler(false), limits, micro.WithEndpointSubject(ep.subject))
	if err != nil {
		return fmt.Errorf("serve %s: %w", ep.subject, err)
	}
	if err := s.confirm(ctx, ep.subject); err != nil {
		return err
	}
	if ep.replica == "" {
		return nil
	}
	err = service.AddEndpoint(ep.name+"-replica", handler(true), limits,
		micro.WithEndpointSubject(ep.replica), micro.WithEndpointQueueGroupDisabled())
	if err != nil {
		return fmt.Errorf("serve %s: %w", ep.replica, err)
	}
	return s.confirm(ctx, ep.replica)
}

// confirm waits until NATS knows the subscription. One that it did not permit
// is an error: NATS reports it to nobody but the connection, and micro would
// go on as if it were served.
func (s *Server) confirm(ctx context.Context, subject string) error {
	for {
		err := s.flush(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil || s.nc.IsClosed() {
			return fmt.Errorf("subscribe to %s: %w", subject, err)
		}
		s.log.WarnContext(ctx, "waiting for NATS", "subject", subject, "error", err)
	}
	err := s.nc.LastError()
	if errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), `"`+subject+`"`) {
		return fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	return nil
}

func (s *Server) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	return s.nc.FlushWithContext(ctx)
}

// natsError hears what NATS says about the server's subscriptions, a slow
// consumer above all: requests were dropped, and their callers will time out.
func (s *Server) natsError(_ micro.Service, err *micro.NATSError) {
	s.log.Error("subscription of the rpc server", "subject", err.Subject, "error", err.Description)
}

var (
	semverLike = regexp.MustCompile(`^\d+\.\d+\.\d+`)
	notInBuild = regexp.MustCompile(`[^0-9A-Za-z-]+`)
)

// semver returns version in the form that micro insists on.
func semver(version string) string {
	v := strings.TrimPrefix(version, "v")
	if semverLike.MatchString(v) {
		return v
	}
	if build := strings.Trim(notInBuild.ReplaceAllString(v, "-"), "-"); build != "" {
		return "0.0.0+" + build
	}
	return "0.0.0"
}
