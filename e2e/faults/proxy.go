package faults

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Net is all the proxies of a run. Its zero value is not usable; call NewNet.
type Net struct {
	server *toxiproxy.ApiServer // never listens; a proxy wants one
	addr   func() string

	mu      sync.Mutex
	proxies map[string]*Proxy
}

// NewNet returns an empty Net whose proxies listen where addr says: on an
// address that is free, and stays so while a proxy refuses connections.
func NewNet(addr func() string) *Net {
	return &Net{
		server:  toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()),
		addr:    addr,
		proxies: map[string]*Proxy{},
	}
}

// Proxy returns the proxy from one party to another, whose address is addr.
// It is made when it is first asked for.
func (n *Net) Proxy(from, to, addr string) (*Proxy, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := from + ">" + to
	if p, ok := n.proxies[name]; ok {
		return p, nil
	}
	p := &Proxy{Name: name, proxy: toxiproxy.NewProxy(n.server, name, n.addr(), addr)}
	if err := p.proxy.Start(); err != nil {
		return nil, fmt.Errorf("start proxy %s: %w", name, err)
	}
	n.proxies[name] = p
	return p, nil
}

// Named returns the proxy of that name, which is "from>to"; nil for none.
func (n *Net) Named(name string) *Proxy {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.proxies[name]
}

// Close ends all proxies with their connections.
func (n *Net) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.proxies {
		p.proxy.Stop()
	}
}

// Proxy passes on the connections from one party to another, until it is told
// to harm them; Mend ends that.
type Proxy struct {
	Name  string // "chat-0>nats", or "clients>gateway-1"
	proxy *toxiproxy.Proxy
}

// Addr is where to connect.
func (p *Proxy) Addr() string { return p.proxy.Listen }

// Refuse cuts all connections and lets no new ones in.
func (p *Proxy) Refuse() error {
	p.proxy.Stop()
	return nil
}

// Silence lets connections stand, old and new ones, but nothing passes.
func (p *Proxy) Silence() error {
	return p.add(timeout(up), timeout(down))
}

// Deafen loses the answers only: what is asked still arrives.
func (p *Proxy) Deafen() error { return p.add(timeout(down)) }

// HalfOpen is Silence in which not even the end of a connection is told to
// the other side.
func (p *Proxy) HalfOpen() error {
	return p.add(timeout(up), timeout(down), slowClose(up), slowClose(down))
}

// Slow delays everything by so much each way.
func (p *Proxy) Slow(by time.Duration) error { return p.add(latency(up, by), latency(down, by)) }

// mendWait bounds Mend: a connection whose reader is stopped holds it up.
const mendWait = 30 * time.Second

// Mend ends what was done to the proxy. Connections of which something was
// lost are cut.
func (p *Proxy) Mend(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- p.mend(context.WithoutCancel(ctx)) }() // ends once readers go on; the run does when they do not
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("mend proxy %s: %w", p.Name, err)
		}
		return nil
	case <-time.After(mendWait):
		return fmt.Errorf("proxy %s could not be mended in %v", p.Name, mendWait)
	}
}

func (p *Proxy) mend(ctx context.Context) error {
	// From the end of the chain: with a timeout before it gone, toxiproxy
	// would no longer find a slow_close.
	for _, d := range []direction{up, down} {
		err := p.proxy.Toxics.RemoveToxic(ctx, "slow_close_"+string(d))
		if err != nil && !errors.Is(err, toxiproxy.ErrToxicNotFound) {
			return err
		}
	}
	p.proxy.Toxics.ResetToxics(ctx)
	if err := p.proxy.Start(); !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
		return err
	}
	return nil
}

// direction is which way data passes a proxy.
type direction string

const (
	up   direction = "upstream"   // from who connects
	down direction = "downstream" // to who connects
)

// timeout drops what passes.
func timeout(d direction) string { return toxic("timeout", d, `{"timeout":0}`) }

// slowClose keeps a connection's end back, for longer than any fault lasts.
func slowClose(d direction) string { return toxic("slow_close", d, `{"delay":600000}`) }

func latency(d direction, by time.Duration) string {
	return toxic("latency", d, fmt.Sprintf(`{"latency":%d}`, by.Milliseconds()))
}

// toxic describes a toxic as toxiproxy's API takes it.
func toxic(kind string, d direction, attributes string) string {
	return fmt.Sprintf(`{"type":%q,"stream":%q,"attributes":%s}`, kind, d, attributes)
}

func (p *Proxy) add(toxics ...string) error {
	for _, t := range toxics {
		if _, err := p.proxy.Toxics.AddToxicJson(strings.NewReader(t)); err != nil {
			return fmt.Errorf("harm proxy %s: %w", p.Name, err)
		}
	}
	return nil
}
