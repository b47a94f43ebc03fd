package deploy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/parley-im/parley/e2e/system"
)

func TestCaddy_is_that_of_the_image(t *testing.T) {
	_, module, _ := strings.Cut(system.ToolPackage("caddy"), "@v")
	if image := project(t).Services["caddy"].Image; image != "caddy:"+module+"-alpine" {
		t.Errorf("tested %s, used %s", module, image)
	}
}

// TestCaddy runs the real Caddy with its real configuration in front of
// servers that take WebSockets as gateways do, under addresses that DNS tells.
func TestCaddy(t *testing.T) {
	names := startDNS(t)
	gateways, port := startGateways(t, "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
	names.tell("127.0.0.2", "127.0.0.3", "127.0.0.4")
	c := startCaddy(t, port, names.addr)

	var sockets []*websocket.Conn
	open := func(n int) {
		t.Helper()
		for range n {
			sockets = append(sockets, c.socket(t))
		}
	}
	requests := func(t *testing.T) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Forwarded-For", "203.0.113.9")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK || string(body) != "127.0.0.1" {
			t.Errorf("%d, forwarded for %q, want the peer alone", response.StatusCode, body)
		}
	}
	t.Run("requests", requests)
	t.Run("sockets go where the fewest are", func(t *testing.T) {
		open(30)
		for _, g := range gateways[:3] {
			if g.open() != 10 {
				t.Errorf("%s has %d of 30", g.addr, g.open())
			}
		}
	})
	t.Run("a new configuration leaves them open", func(t *testing.T) {
		c.reload(t)
		for i, socket := range sockets {
			if _, err := ask(t, socket); err != nil {
				t.Fatalf("socket %d: %v", i, err)
			}
		}
		open(3)
		for _, g := range gateways[:3] {
			if g.open() != 11 {
				t.Errorf("%s has %d of 33: their counts are lost", g.addr, g.open())
			}
		}
	})
	t.Run("one that drains gets no more", func(t *testing.T) {
		leaving := gateways[0]
		leaving.set(func(g *backend) { g.draining = true })
		open(5)
		leaving.closeAll() // it now has the fewest
		open(5)
		if gateways[1].open()+gateways[2].open() != 32 {
			t.Errorf("%d and %d of 32", gateways[1].open(), gateways[2].open())
		}
		if asked := leaving.asked(); asked > 2 {
			t.Errorf("it was asked %d times", asked)
		}
	})
	t.Run("one that is gone is passed over", func(t *testing.T) {
		gateways[0].stop() // DNS does not know yet
		open(5)
		for range 10 {
			requests(t)
		}
		if gateways[1].open()+gateways[2].open() != 37 {
			t.Errorf("%d and %d of 37", gateways[1].open(), gateways[2].open())
		}
	})
	t.Run("one that is added gets its share", func(t *testing.T) {
		names.tell("127.0.0.3", "127.0.0.4", "127.0.0.5")
		eventually(t, "a socket reaches it", func() bool { open(1); return gateways[3].open() > 0 })
		before := gateways[1].open() + gateways[2].open()
		open(10)
		if gateways[3].open() < 11 || gateways[1].open()+gateways[2].open() != before {
			t.Errorf("it has %d, the others %d and %d", gateways[3].open(), gateways[1].open(), gateways[2].open())
		}
	})
	t.Run("all of them are away for a moment", func(t *testing.T) {
		for _, g := range gateways[1:] {
			g.set(func(g *backend) { g.draining = true })
		}
		go func() { // ends once the socket below was refused, or with the test
			for gateways[1].asked()+gateways[2].asked()+gateways[3].asked() == 0 && t.Context().Err() == nil {
				time.Sleep(time.Millisecond)
			}
			names.tell("127.0.0.6")
		}()
		late, _ := startGatewaysAt(t, port, "127.0.0.6")
		open(1)
		if late[0].open() != 1 {
			t.Error("the client did not wait for the new one")
		}
	})
}

// caddy is a running one.
type caddy struct {
	program, url, admin string
	env                 []string
}

func startCaddy(t *testing.T, port, resolver string) *caddy {
	t.Helper()
	addr, admin := system.FreeAddr(t), system.FreeAddr(t)
	_, own, _ := strings.Cut(addr, ":")
	c := &caddy{program: system.Tool(t, "caddy"), url: "http://" + addr + "/", admin: admin, env: []string{
		"CADDY_ADMIN=" + admin, "CADDY_SITE=:" + own, "CADDY_BIND=127.0.0.1", "CADDY_TRUSTED_PROXIES=192.0.2.1/32",
		"GATEWAY_PORT=" + port, "GATEWAY_RESOLVER=" + resolver,
		"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"),
	}}
	var log strings.Builder
	cmd := exec.Command(c.program, "run", "--config", "compose/Caddyfile")
	cmd.Env, cmd.Stderr = c.env, &log // read after Wait only
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	eventually(t, "Caddy answers", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return c
}

// reload has Caddy read its configuration again, as after an edit.
func (c *caddy) reload(t *testing.T) {
	t.Helper()
	cmd := exec.Command(c.program, "reload", "--force", "--config", "compose/Caddyfile", "--address", c.admin)
	cmd.Env = c.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func (c *caddy) socket(t *testing.T) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	socket, _, err := websocket.Dial(ctx, c.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, socket); err != nil { // it is counted
		t.Fatal(err)
	}
	return socket
}

func ask(t *testing.T, socket *websocket.Conn) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := socket.Write(ctx, websocket.MessageText, []byte("?")); err != nil {
		return "", err
	}
	_, answer, err := socket.Read(ctx)
	return string(answer), err
}

// backend takes WebSockets as a gateway does: none while it drains.
type backend struct {
	addr   string
	server *http.Server

	mu       sync.Mutex
	draining bool
	refused  int
	conns    map[*websocket.Conn]bool
}

// startGateways starts one on each address, all with the same free port.
func startGateways(t *testing.T, addrs ...string) ([]*backend, string) {
	t.Helper()
	for range 10 {
		_, port, _ := strings.Cut(system.FreeAddr(t), ":")
		if list, ok := startGatewaysAt(t, port, addrs...); ok {
			return list, port
		}
	}
	t.Fatal("no port is free on all addresses")
	return nil, ""
}

func startGatewaysAt(t *testing.T, port string, addrs ...string) (list []*backend, ok bool) {
	t.Helper()
	for _, addr := range addrs {
		b := &backend{addr: addr, conns: map[*websocket.Conn]bool{}}
		b.server = &http.Server{Handler: b, ReadHeaderTimeout: time.Minute}
		listener, err := net.Listen("tcp", net.JoinHostPort(addr, port))
		if err != nil {
			return nil, false
		}
		go func() { _ = b.server.Serve(listener) }() // ended by stop
		t.Cleanup(b.stop)
		list = append(list, b)
	}
	return list, true
}

// ServeHTTP echoes a WebSocket's messages, and answers others with the address
// that they came from.
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		_, _ = io.WriteString(w, r.Header.Get("X-Forwarded-For"))
		return
	}
	b.mu.Lock()
	draining := b.draining
	if draining {
		b.refused++
	}
	b.mu.Unlock()
	if draining {
		http.Error(w, "this gateway is leaving", http.StatusServiceUnavailable)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	b.set(func(b *backend) { b.conns[conn] = true })
	defer b.set(func(b *backend) { delete(b.conns, conn) })
	for {
		kind, message, err := conn.Read(context.Background())
		if err != nil || conn.Write(context.Background(), kind, message) != nil {
			return
		}
	}
}

func (b *backend) set(f func(*backend)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

func (b *backend) open() (n int) {
	b.set(func(b *backend) { n = len(b.conns) })
	return n
}

// asked is how many WebSockets it refused.
func (b *backend) asked() (n int) {
	b.set(func(b *backend) { n = b.refused })
	return n
}

func (b *backend) closeAll() {
	b.set(func(b *backend) {
		for conn := range b.conns {
			_ = conn.CloseNow()
		}
	})
}

func (b *backend) stop() {
	_ = b.server.Close()
	b.closeAll()
}

// nameServer answers every question for an address with those it was told.
type nameServer struct {
	addr string

	mu    sync.Mutex
	addrs []string
}

func (n *nameServer) tell(addrs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addrs = addrs
}

func startDNS(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	n := &nameServer{addr: conn.LocalAddr().String()}
	go func() { // ends when conn is closed
		packet := make([]byte, 1500)
		for {
			size, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			if answer, err := n.answer(packet[:size]); err == nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	return n
}

func (n *nameServer) answer(packet []byte) ([]byte, error) {
	var message dnsmessage.Message
	if err := message.Unpack(packet); err != nil || len(message.Questions) != 1 {
		return nil, fmt.Errorf("not one question: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: message.ID, Response: true, RecursionAvailable: true}, Questions: message.Questions}
	for _, addr := range n.addrs {
		if message.Questions[0].Type == dnsmessage.TypeA {
			reply.Answers = append(reply.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: message.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 1},
				Body:   &dnsmessage.AResource{A: [4]byte(net.ParseIP(addr).To4())},
			})
		}
	}
	return reply.Pack()
}
