package embedded

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/nats-io/nats-server/v2/server"
)

// routeUser is who the nodes of a cluster are to each other.
const routeUser = "route"

// NATSCluster makes a server one of the nodes of a cluster, in which clients
// of each reach those of all, and JetStream keeps as many copies of a stream
// as it was made with. Nodes share Name and the secrets, and nothing else.
type NATSCluster struct {
	Name string // of the cluster, the same on all nodes
	// Node is this server's own name. JetStream knows its peers by their
	// names: a node that comes back under another one is another node.
	Node string
	Addr string // host:port for the other nodes
	// Routes are the Addr of nodes to connect to, host:port. One that answers
	// tells of the others; the node's own may be among them.
	Routes []string
}

// apply adds what a node needs to the options of a server alone. Nodes prove
// who they are by the password.
func (c *NATSCluster) apply(opts *server.Options, password string) error {
	host, port, err := splitAddr(c.Addr)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	if c.Name == "" || c.Node == "" || password == "" {
		return errors.New("cluster: a node needs the cluster's name, its own, and the password")
	}
	opts.ServerName = c.Node
	opts.Cluster = server.ClusterOpts{Name: c.Name, Host: host, Port: port, Username: routeUser, Password: password}
	for _, addr := range c.Routes {
		if _, _, err := splitAddr(addr); err != nil {
			return fmt.Errorf("cluster: route: %w", err)
		}
		opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats", User: url.UserPassword(routeUser, password), Host: addr})
	}
	return nil
}

// Current reports whether the server takes part in JetStream: it knows who
// leads the cluster and the stream, and has caught up with both. A server
// alone always does.
func (n *NATS) Current(stream string) bool {
	const account = server.DEFAULT_GLOBAL_ACCOUNT
	if !n.server.JetStreamIsCurrent() || !n.server.JetStreamIsStreamCurrent(account, stream) {
		return false
	}
	if !n.server.JetStreamIsClustered() {
		return true
	}
	state, err := n.server.Jsz(&server.JSzOptions{Account: account, Streams: true})
	if err != nil || state.Meta == nil || state.Meta.Leader == "" {
		return false
	}
	for _, a := range state.AccountDetails {
		for _, s := range a.Streams {
			if s.Name == stream {
				return s.Cluster != nil && s.Cluster.Leader != ""
			}
		}
	}
	return false
}
