package deploy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/standalone/embedded"
)

const gatewayProgram = "github.com/parley-im/parley/services/gateway/cmd/gateway"

// TestCaddy_rolls_gateways replaces real gateways behind the real Caddy while
// people talk through it: nobody loses or doubles a message, no request is
// refused.
func TestCaddy_rolls_gateways(t *testing.T) {
	api, err := person.NewAPI("../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	alone := system.StartAlone(t)
	ann := person.New(t, api, alone.URLs[0], "ann", alone.Code(0))
	bob := person.New(t, api, alone.URLs[0], "bob", alone.Code(1))
	room := ann.Befriend(t, bob)

	addrs := []string{"127.0.0.2", "127.0.0.3", "127.0.0.4"}
	_, port, _ := strings.Cut(system.FreeAddr(t), ":")
	start := gatewayStarter(t, alone, port)
	stops := map[string]func(){}
	for _, addr := range addrs {
		stops[addr] = start(addr)
	}
	names := startDNS(t)
	names.tell(addrs...)
	c := startCaddy(t, port, names.addr)

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	talk := startTalk(ctx, t, strings.TrimSuffix(c.url, "/"), ann, bob, room)
	for _, addr := range addrs {
		talk.awaitMore(t, 20)
		stops[addr]() // returns when it has drained
		talk.awaitMore(t, 20)
		stops[addr] = start(addr)
	}
	talk.awaitMore(t, 20)
	talk.end(ctx, t)
	for _, stop := range stops {
		stop()
	}
}

// gatewayStarter returns what starts a gateway at an address and returns, once
// it is ready, what stops it.
func gatewayStarter(t *testing.T, alone *system.Alone, port string) func(addr string) (stop func()) {
	t.Helper()
	secrets, err := embedded.LoadSecrets(t.Context(), alone.Data)
	if err != nil {
		t.Fatal(err)
	}
	binary := system.Build(t, gatewayProgram)
	return func(addr string) func() {
		t.Helper()
		ops := system.FreeAddr(t)
		var log bytes.Buffer
		cmd := exec.Command(binary)
		cmd.Stderr = &log // read after Wait only
		cmd.Env = []string{
			"OPS_ADDR=" + ops, "GATEWAY_ADDR=" + net.JoinHostPort(addr, port), "GATEWAY_DRAIN_TIME=500ms", "REDIS_URL=redis://127.0.0.1:1",
			"NATS_URL=nats://" + alone.NATSAddr, "NATS_USER=gateway", "NATS_PASSWORD=" + secrets.NATS["gateway"],
			"GATEWAY_TRUSTED_PROXIES=127.0.0.1/32",
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stop := sync.OnceFunc(func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			if err := cmd.Wait(); err != nil {
				t.Errorf("the gateway at %s ended: %v\n%s", addr, err, log.String())
			}
		})
		t.Cleanup(stop)
		eventually(t, "the gateway at "+addr+" is ready", func() bool {
			check := exec.Command(binary, "-check")
			check.Env = []string{"OPS_ADDR=" + ops}
			return check.Run() == nil
		})
		return stop
	}
}

// talk is a conversation through Caddy: ann's client sends over a socket, and
// requests of hers are made beside it; bob's client gets it all.
type talk struct {
	ann, bob *client.Client
	room     string
	stop     chan struct{}
	done     chan error // of those who send and ask, then of who listens

	sent, requests, received atomic.Int64
	refused                  []string // requests; read after done
	got                      []int64  // seqs; read after done
}

func startTalk(ctx context.Context, t *testing.T, url string, ann, bob *person.Person, room string) *talk {
	t.Helper()
	k := &talk{room: room, done: make(chan error, 3), stop: make(chan struct{})}
	dial := func(p *person.Person) *client.Client {
		session, err := client.Resume([]string{url}, p.Refresh)
		if err != nil {
			t.Fatal(err)
		}
		c, err := client.Dial(ctx, client.Options{Gateways: []string{url}, Tokens: session, FromFirst: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	k.ann, k.bob = dial(ann), dial(bob)
	// Two end with stop, the last with ann's last word; all with ctx. All report
	// to done, which has room for them.
	go func() { k.done <- k.sends(ctx) }()
	go func() { k.done <- k.asks(ctx, url, ann.Access) }()
	go func() { k.done <- k.listens(ctx) }()
	return k
}

func (k *talk) sends(ctx context.Context) error {
	for ; ; k.sent.Add(1) {
		select {
		case <-k.stop:
			return nil
		case <-time.After(20 * time.Millisecond):
		}
		if _, err := k.ann.Send(ctx, k.room, "by socket"); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
}

// asks posts and gets by HTTP, each time once.
func (k *talk) asks(ctx context.Context, url, token string) error {
	path := url + "/api/v1/rooms/" + k.room + "/messages"
	for ; ; k.requests.Add(1) {
		select {
		case <-k.stop:
			return nil
		case <-time.After(10 * time.Millisecond):
		}
		body := fmt.Sprintf(`{"client_id":"http-%d","type":"text","content":{"text":"by HTTP"}}`, k.requests.Load())
		for method, body := range map[string]string{http.MethodPost: body, http.MethodGet: ""} {
			request, err := http.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
			if err != nil {
				return err
			}
			request.Header.Set("Authorization", "Bearer "+token)
			request.Header.Set("Content-Type", "application/json")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return err
			}
			answer, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.StatusCode >= 300 {
				k.refused = append(k.refused, fmt.Sprintf("%s: %d %s", method, response.StatusCode, answer))
			}
		}
	}
}

const lastWord = "good night"

func (k *talk) listens(ctx context.Context) error {
	for {
		event, err := k.bob.Next(ctx)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		if m, ok := event.(*client.Message); ok && m.RoomID == k.room {
			k.got = append(k.got, m.Seq)
			k.received.Add(1)
			if m.Content.Text == lastWord {
				return nil
			}
		}
	}
}

// awaitMore waits until n more messages were received, and requests answered.
func (k *talk) awaitMore(t *testing.T, n int64) {
	t.Helper()
	received, requests := k.received.Load()+n, k.requests.Load()+n
	eventually(t, "people go on talking", func() bool {
		select {
		case err := <-k.done:
			t.Fatalf("the talk ended: %v", err)
		default:
		}
		return k.received.Load() >= received && k.requests.Load() >= requests
	})
}

// end stops the talk and looks at what came of it: each message once, in order.
func (k *talk) end(ctx context.Context, t *testing.T) {
	t.Helper()
	close(k.stop)
	for range 2 {
		if err := <-k.done; err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.ann.Send(ctx, k.room, lastWord); err != nil {
		t.Fatal(err)
	}
	if err := <-k.done; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d by socket, %d by HTTP; bob: %+v", k.sent.Load(), k.requests.Load(), k.bob.Stats())
	for _, call := range k.refused {
		t.Errorf("refused: %s", call)
	}
	if all := k.sent.Load() + k.requests.Load() + 1; int64(len(k.got)) != all {
		t.Errorf("%d messages came, of %d", len(k.got), all)
	}
	for i, seq := range k.got {
		if seq != int64(i+1) {
			t.Fatalf("message %d has seq %d", i+1, seq)
		}
	}
}
