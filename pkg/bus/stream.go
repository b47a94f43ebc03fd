package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

const (
	// dedupeWindow is how long the server remembers a Nats-Msg-Id.
	dedupeWindow = 2 * time.Minute
	// firstStreamTry and lastStreamTry bound one try; each may take twice as
	// long as the one before. Servers that forbid it, or are still choosing a
	// leader, do not answer at all, and making copies takes its time.
	firstStreamTry = 500 * time.Millisecond
	lastStreamTry  = 8 * time.Second
	// streamPause is the pause between two tries.
	streamPause = 250 * time.Millisecond
)

// StreamConfig is what an installation may choose about IM_EVENTS. It counts
// when the stream is made; an existing one is changed by its operator.
type StreamConfig struct {
	Replicas int          `envconfig:"NATS_STREAM_REPLICAS" default:"1" desc:"Servers that keep a copy of IM_EVENTS: 1, 3 or 5; counts when the stream is made."`
	Log      *slog.Logger `ignored:"true"` // told when the existing stream differs; nil: nobody
}

// ConnectStream is [Connect] and [EnsureStream], for a service with events.
func ConnectStream(ctx context.Context, cfg Config, stream StreamConfig, service contract.Service, tel *telemetry.Telemetry, opts ...Option) (*nats.Conn, error) {
	nc, err := Connect(ctx, cfg, service, tel, opts...)
	if err != nil {
		return nil, err
	}
	stream.Log = tel.Log
	if err := EnsureStream(ctx, nc, stream); err != nil {
		nc.Close()
		return nil, err
	}
	return nc, nil
}

// EnsureStream makes IM_EVENTS when it is missing, trying until ctx ends while
// JetStream does not answer. It only asks for the stream's state and creates
// it, which is all that a service's NATS user may do.
func EnsureStream(ctx context.Context, nc *nats.Conn, cfg StreamConfig) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("ensure stream %s: %w", contract.StreamName, err)
	}
	for try := firstStreamTry; ; try = min(2*try, lastStreamTry) {
		err := ensureOnce(ctx, js, cfg, try)
		if err == nil {
			return nil
		}
		var refused *jetstream.APIError
		if errors.As(err, &refused) && refused.Code < 500 {
			return fmt.Errorf("ensure stream %s: %w", contract.StreamName, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("ensure stream %s: %w: %w", contract.StreamName, ctx.Err(), err)
		case <-time.After(streamPause):
		}
	}
}

func ensureOnce(ctx context.Context, js jetstream.JetStream, cfg StreamConfig, try time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, try)
	defer cancel()
	want := streamConfig(max(cfg.Replicas, 1))
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another was faster, and wants it differently
			stream, err = js.Stream(ctx, want.Name)
		}
	}
	if err != nil {
		return err
	}
	have := stream.CachedInfo().Config
	if diff := differences(want, have); len(diff) > 0 && cfg.Log != nil {
		cfg.Log.Warn("stream is not configured as this build would", "stream", want.Name, "differs", diff)
	}
	return nil
}

// CheckStream is nil when IM_EVENTS is there, configured as this build would,
// and all its copies are up to date; else it says what is not so.
func CheckStream(ctx context.Context, nc *nats.Conn, cfg StreamConfig) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("ask for stream %s: %w", contract.StreamName, err)
	}
	stream, err := js.Stream(ctx, contract.StreamName)
	if err != nil {
		return fmt.Errorf("ask for stream %s: %w", contract.StreamName, err)
	}
	info := stream.CachedInfo()
	if diff := differences(streamConfig(max(cfg.Replicas, 1)), info.Config); len(diff) > 0 {
		return fmt.Errorf("stream %s is not configured as this build would: %s", contract.StreamName, strings.Join(diff, ", "))
	}
	if info.Cluster == nil {
		return nil
	}
	for _, peer := range info.Cluster.Replicas {
		if !peer.Current {
			return fmt.Errorf("the copy of stream %s on server %s is not up to date", contract.StreamName, peer.Name)
		}
	}
	return nil
}

// streamConfig keeps every event for ever. Should an operator set a limit
// nevertheless, new events wait in the outboxes rather than push old ones out.
func streamConfig(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        contract.StreamName,
		Description: "Durable events of all services",
		Subjects:    []string{contract.AllEvents},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxMsgs:     -1,
		MaxBytes:    -1,
		MaxAge:      0,
		Duplicates:  dedupeWindow,
		Replicas:    replicas,
	}
}

// differences names the settings that matter and are not as wanted.
func differences(want, have jetstream.StreamConfig) []string {
	var names []string
	for _, s := range []struct {
		name string
		same bool
	}{
		{"subjects", slices.Equal(want.Subjects, have.Subjects)},
		{"storage", want.Storage == have.Storage},
		{"retention", want.Retention == have.Retention},
		{"discard", want.Discard == have.Discard},
		{"max_msgs", want.MaxMsgs == have.MaxMsgs},
		{"max_bytes", want.MaxBytes == have.MaxBytes},
		{"max_age", want.MaxAge == have.MaxAge},
		{"duplicate_window", want.Duplicates == have.Duplicates},
		{"num_replicas", want.Replicas == have.Replicas},
	} {
		if !s.same {
			names = append(names, s.name)
		}
	}
	return names
}
