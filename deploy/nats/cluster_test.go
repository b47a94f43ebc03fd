package natsconf_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	natsconf "github.com/parley-im/parley/deploy/nats"
	"github.com/parley-im/parley/deploy/secrets/credentials"
	"github.com/parley-im/parley/e2e/system"
)

// etc is where the containers have their configuration.
const etc = "/etc/nats/"

// cluster is three servers with the configuration of Docker Compose, from the
// very files. Only what a machine alone can't have is replaced: the directories,
// and, as flags would, the addresses.
type cluster struct {
	set    credentials.Set
	verify bool // clients need certificates
	nodes  []*node
}

type node struct {
	name                   string
	dir                    string // in place of /etc/nats
	client, route, monitor int    // ports on 127.0.0.1
	srv                    *server.Server
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{set: newSet(t)}
	for i := range 3 {
		n := &node{name: fmt.Sprintf("nats-%d", i), dir: t.TempDir(), client: freePort(t), route: freePort(t), monitor: freePort(t)}
		c.nodes = append(c.nodes, n)
	}
	for _, n := range c.nodes {
		c.start(t, n)
		t.Cleanup(n.stop)
	}
	for _, n := range c.nodes {
		n.awaitHealthy(t)
	}
	return c
}

// newSet is the secrets of a new installation, by the tool of make env and
// through its file.
func newSet(t *testing.T) credentials.Set {
	t.Helper()
	path := filepath.Join(t.TempDir(), ".env")
	file, err := credentials.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Set.Fill(time.Now(), credentials.ComposeHosts()); err != nil {
		t.Fatal(err)
	}
	if err := file.Write(path); err != nil {
		t.Fatal(err)
	}
	if file, err = credentials.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return file.Set
}

// start runs a node with the cluster's secrets of now.
func (c *cluster) start(t *testing.T, n *node) {
	t.Helper()
	srv, err := server.NewServer(c.options(t, n))
	if err != nil {
		t.Fatal(err)
	}
	srv.ConfigureLogger()
	srv.Start()
	n.srv = srv
	if !srv.ReadyForConnections(20 * time.Second) {
		t.Fatalf("%s does not start:\n%s", n.name, n.log(t))
	}
}

// options are the node's configuration, read as nats-server -c reads it.
func (c *cluster) options(t *testing.T, n *node) *server.Options {
	t.Helper()
	c.environment(t, n)
	for name, path := range map[string]string{
		"nats.conf": "../compose/nats.conf", "nats-accounts.conf": "../k8s/parley/files/nats-accounts.conf",
	} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(n.dir, name), bytes.ReplaceAll(content, []byte(etc), []byte(n.dir+"/")))
	}
	n.writeCertificates(t, c.set)
	options, err := server.ProcessConfigFile(filepath.Join(n.dir, "nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	options.Host, options.Port = "127.0.0.1", n.client
	options.Cluster.Host, options.Cluster.Port = "127.0.0.1", n.route
	options.HTTPHost, options.HTTPPort = "127.0.0.1", n.monitor
	options.StoreDir, options.LogFile = filepath.Join(n.dir, "data"), filepath.Join(n.dir, "log")
	options.LameDuckDuration, options.LameDuckGracePeriod = 100*time.Millisecond, 10*time.Millisecond
	options.NoSigs = true
	return options
}

// environment is a container's, as docker-compose.yml sets it.
func (c *cluster) environment(t *testing.T, n *node) {
	t.Helper()
	var routes []string
	for _, other := range c.nodes {
		routes = append(routes, fmt.Sprintf("tls://route:%s@127.0.0.1:%d", c.set["NATS_CLUSTER_PASSWORD"], other.route))
	}
	t.Setenv("NATS_SERVER_NAME", n.name)
	t.Setenv("NATS_ROUTES", "["+strings.Join(routes, ", ")+"]")
	t.Setenv("NATS_TLS_VERIFY", fmt.Sprint(c.verify))
	t.Setenv("NATS_CLUSTER_PASSWORD", c.set["NATS_CLUSTER_PASSWORD"])
	for _, user := range natsconf.Users() {
		for _, name := range []string{natsconf.NKeyVar(user), natsconf.OldNKeyVar(user)} {
			t.Setenv(name, c.set[name])
		}
	}
}

func (n *node) writeCertificates(t *testing.T, set credentials.Set) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(n.dir, "tls"), 0o700); err != nil {
		t.Fatal(err)
	}
	for file, name := range map[string]string{"tls.crt": "TLS_CERT", "tls.key": "TLS_KEY", "ca.crt": "TLS_CA_CERT"} {
		write(t, filepath.Join(n.dir, "tls", file), []byte(set[name]))
	}
}

// stop ends the node as SIGTERM does.
func (n *node) stop() {
	n.srv.Shutdown()
	n.srv.WaitForShutdown()
}

// restart ends the node as SIGUSR2 does, sending its clients to the others, and
// starts it with the cluster's secrets of now; it returns when all is well.
func (c *cluster) restart(t *testing.T, n *node) {
	t.Helper()
	n.srv.LameDuckShutdown()
	n.srv.WaitForShutdown()
	c.start(t, n)
	n.awaitHealthy(t)
}

// awaitHealthy waits for what a container's health check asks.
func (n *node) awaitHealthy(t *testing.T) {
	t.Helper()
	await(t, n.name+" to be healthy", func() bool {
		response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/healthz", n.monitor))
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// log is what the node has written so far.
func (n *node) log(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(n.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// log is what all nodes have written.
func (c *cluster) log(t *testing.T) string {
	t.Helper()
	var all string
	for _, n := range c.nodes {
		all += n.log(t)
	}
	return all
}

// url lists all servers, as NATS_URL does.
func (c *cluster) url() string {
	var urls []string
	for _, n := range c.nodes {
		urls = append(urls, fmt.Sprintf("tls://127.0.0.1:%d", n.client))
	}
	return strings.Join(urls, ",")
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// freePort was free a moment ago, and is given to nobody else here.
func freePort(t *testing.T) int {
	t.Helper()
	_, text, err := net.SplitHostPort(system.FreeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
