package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// silentSockets is how many sockets never authenticate. Each is one open file
// here and one in the gateway: processes may have no fewer than 20,000 in the
// usual container, and 1,024 only where nobody raised them.
const silentSockets = 10_000

// TestHostile_silent_sockets opens thousands of sockets that say nothing. People
// talk meanwhile; all of them are closed in time; nothing of them is left.
func TestHostile_silent_sockets(t *testing.T) {
	t.Parallel()
	n := silentSockets
	if most := openFiles(t) - 500; n > most {
		n = most
		t.Logf("this process may not have more than %d files open", most)
	}
	s := system.Start(t, system.Options{
		Replicas: 1, Gateways: 1, Programs: map[string]string{"gateway": system.BuildPlain(t)},
		Env: []string{"GATEWAY_AUTH_TIMEOUT=30s"},
	})
	list := people(t, s, "ann", "bob")
	room := list[0].Befriend(t, list[1])
	socket := list[1].Dial(t)
	conns := dialSilent(t, s.URLs[0], n)
	if open := gauge(t, s.Gateways[0], "parley_gateway_connections"); open < float64(n) {
		t.Fatalf("%v sockets are open, not %d", open, n)
	}
	for i := range 20 {
		text := fmt.Sprint("meanwhile ", i)
		list[0].Send(t, room, id.New(), text).Is(t, http.StatusCreated)
		person.Push(t, socket, contract.MessagePushed.Op, func(m contract.Message) bool { return m.Content.Text == text })
	}
	closedWith(t, conns, contract.CloseUnauthenticated)
	eventually(t, "only bob's socket is left", func() bool {
		return gauge(t, s.Gateways[0], "parley_gateway_connections") == 1
	})
	socket.Must(t, contract.OpPing, nil)
	list[0].Dial(t)
	if response, err := http.Get(s.Gateways[0].Ops + "/readyz"); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("not ready: %v, %v", response, err)
	}
}

// dialSilent upgrades connections, some at a time, and says nothing on them.
func dialSilent(t *testing.T, url string, n int) []net.Conn {
	t.Helper()
	const request = "GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	conns := make([]net.Conn, n)
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			for i := worker; i < n; i += 16 {
				conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
				if err != nil {
					t.Errorf("socket %d: %v", i, err)
					return
				}
				conns[i] = conn
				_, _ = io.WriteString(conn, request)
				_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
				answer := make([]byte, len("HTTP/1.1 101"))
				if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 101" {
					t.Errorf("socket %d: %q, %v", i, answer, err)
					return
				}
			}
		})
	}
	wg.Wait()
	t.Cleanup(func() {
		for _, conn := range conns {
			if conn != nil {
				_ = conn.Close()
			}
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return conns
}

// closedWith waits until the gateway has told all of them so, and closed.
func closedWith(t *testing.T, conns []net.Conn, code contract.CloseCode) {
	t.Helper()
	want := []byte{byte(code >> 8), byte(code & 0xff)}
	until := time.Now().Add(2 * time.Minute)
	for i, conn := range conns {
		_ = conn.SetReadDeadline(until)
		got, err := io.ReadAll(conn)
		if err != nil || !bytes.Contains(got, want) {
			t.Fatalf("socket %d ended with %q, %v", i, got, err)
		}
		_ = conn.Close()
	}
}

// gauge is a metric of a process, summed over its labels.
func gauge(t *testing.T, p *system.Process, name string) (sum float64) {
	t.Helper()
	response, err := http.Get(p.Ops + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, name); ok && (rest[0] == '{' || rest[0] == ' ') {
			var value float64
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &value); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			sum += value
		}
	}
	return sum
}
