package tracing

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/parley-im/parley/e2e/shell"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
)

// TestTracing_production runs the commands of docs/tracing.md that need what
// standalone has not: several NATS servers, TLS, NKeys and a system account.
func TestTracing_production(t *testing.T) {
	c := newSecured(t)
	urls := c.start(t)
	nkey, err := nats.NkeyOptionFromSeed(filepath.Join(c.dir, "operator.seed"))
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(urls, nats.Name("parley-chat"), nkey, nats.RootCAs(filepath.Join(c.dir, "ca.crt")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := bus.EnsureStream(ctx, nc, bus.StreamConfig{Replicas: securedServers}); err != nil {
		t.Fatal(err)
	}
	sh := shell.New(t, []string{system.Tool(t, "nats")}, "SERVER="+urls)
	sh.Dir = c.dir
	ran := 0
	for _, e := range shell.Examples(t, tracingDocument) {
		if e.Section != productionSection {
			continue
		}
		ran++
		t.Run(fmt.Sprintf("line %d", e.Line), func(t *testing.T) { sh.Run(t, e, func() {}) })
	}
	if ran == 0 {
		t.Fatalf("no section %q in %s", productionSection, tracingDocument)
	}
}

const securedServers = 3

// secured is a cluster of NATS servers with certificates and NKeys.
type secured struct {
	dir   string            // has the certificate, and a seed for each user
	Keys  map[string]string // the users' public keys
	Nodes []securedNode
	Allow map[string][]string // what the observer may do
}

type securedNode struct{ Name, Addr, Route string }

func newSecured(t *testing.T) *secured {
	t.Helper()
	may := contract.ObserverPermission()
	c := &secured{dir: t.TempDir(), Keys: map[string]string{}, Allow: map[string][]string{"publish": may.PublishAllow, "subscribe": may.SubscribeAllow}}
	for _, user := range []string{contract.ObserverUser, contract.OperatorUser, "system"} {
		pair, err := nkeys.CreateUser()
		if err != nil {
			t.Fatal(err)
		}
		seed, err := pair.Seed()
		if err != nil {
			t.Fatal(err)
		}
		c.write(t, user+".seed", seed)
		if c.Keys[user], err = pair.PublicKey(); err != nil {
			t.Fatal(err)
		}
	}
	c.certify(t)
	for i := range securedServers {
		c.Nodes = append(c.Nodes, securedNode{Name: fmt.Sprintf("nats-%d", i), Addr: system.FreeAddr(t), Route: system.FreeAddr(t)})
	}
	return c
}

// certify writes the certificate for 127.0.0.1 that net/http's own tests use.
func (c *secured) certify(t *testing.T) {
	t.Helper()
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	key, err := x509.MarshalPKCS8PrivateKey(web.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, "ca.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}))
	c.write(t, "server.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
}

func (c *secured) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

var securedConfig = template.Must(template.New("nats").Parse(`
server_name: {{.Node.Name}}
listen: "{{.Node.Addr}}"
tls { cert_file: "{{.Dir}}/ca.crt", key_file: "{{.Dir}}/server.key" }
jetstream { store_dir: "{{.Dir}}/{{.Node.Name}}" }
cluster { name: parley, listen: "{{.Node.Route}}", routes: [{{range .All.Nodes}} "nats://{{.Route}}",{{end}} ] }
system_account: SYS
accounts {
  SYS { users: [ { nkey: {{.All.Keys.system}} } ] }
  PARLEY {
    jetstream: enabled
    users: [
      { nkey: {{.All.Keys.operator}} }
      { nkey: {{.All.Keys.observer}}, permissions: {
        {{range $what, $subjects := .All.Allow}}{{$what}}: { allow: [{{range $subjects}} "{{.}}",{{end}} ] }
        {{end}} } }
    ]
  }
}
`))

// start runs the servers until the test ends and returns their URLs.
func (c *secured) start(t *testing.T) string {
	t.Helper()
	var urls []string
	for _, node := range c.Nodes {
		var text bytes.Buffer
		if err := securedConfig.Execute(&text, map[string]any{"Node": node, "All": c, "Dir": c.dir}); err != nil {
			t.Fatal(err)
		}
		c.write(t, node.Name+".conf", text.Bytes())
		opts, err := server.ProcessConfigFile(filepath.Join(c.dir, node.Name+".conf"))
		if err != nil {
			t.Fatal(err)
		}
		opts.NoSigs = true
		srv, err := server.NewServer(opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
		srv.Start()
		if !srv.ReadyForConnections(patience) {
			t.Fatalf("%s does not start", node.Name)
		}
		urls = append(urls, "tls://"+node.Addr)
	}
	return strings.Join(urls, ",")
}
