package credentials

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"

	natsconf "github.com/parley-im/parley/deploy/nats"
	"github.com/parley-im/parley/pkg/contract"
)

// Cluster says where the engines are that the services' URLs name.
type Cluster struct {
	Namespace string // of the Secrets; empty: that of whoever applies them
	Mongo     string // mongodb://HOSTS/?OPTIONS, without a database: each service has its own
	Redis     string // redis://HOST:PORT/DB or rediss://…
	SMTP      string // the whole URL; may be empty
}

// ClusterHosts are the names under which the chart's own engines are reached
// in a namespace, as Services and as the pods behind them.
func ClusterHosts(namespace string) []string {
	hosts := []string{"localhost", "127.0.0.1"}
	for _, engine := range []string{"parley-nats", "parley-mongo", "parley-redis", "parley-mailpit"} {
		for _, service := range []string{engine, "*." + engine} {
			hosts = append(hosts, service)
			for _, domain := range []string{"", ".svc", ".svc.cluster.local"} {
				if namespace != "" {
					hosts = append(hosts, service+"."+namespace+domain)
				}
			}
		}
	}
	return hosts
}

// secret is a Secret of Kubernetes.
type secret struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   metadata          `json:"metadata"`
	Type       string            `json:"type"`
	StringData map[string]string `json:"stringData"`
}

type metadata struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace,omitempty"`
	Labels    map[string]string `json:"labels"`
}

// The types of Secrets, as Kubernetes names them.
const (
	opaque  = "Opaque"
	tlsPair = "kubernetes.io/tls"
)

// Manifests are the Secrets that the chart's values name by default, as YAML
// documents. Every secret of s must be there, but for the authority's key, which
// is not among them, as are seeds of people: no pod needs those.
func Manifests(s Set, c Cluster) ([]byte, error) {
	var missing []error
	for _, name := range Names() {
		if s[name] == "" && name != caKey {
			missing = append(missing, fmt.Errorf("%s is missing", name))
		}
	}
	if err := errors.Join(missing...); err != nil {
		return nil, err
	}
	services, err := s.ofServices(c)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, one := range append(services, s.ofEngines()...) {
		one.APIVersion, one.Kind = "v1", "Secret"
		one.Metadata.Namespace = c.Namespace
		one.Metadata.Labels = map[string]string{"app.kubernetes.io/part-of": "parley"}
		text, err := yaml.Marshal(one)
		if err != nil {
			return nil, fmt.Errorf("encode secret %s: %w", one.Metadata.Name, err)
		}
		out.WriteString("---\n")
		out.Write(text)
	}
	return out.Bytes(), nil
}

// ofServices are one Secret for each service: its own settings.
func (s Set) ofServices(c Cluster) ([]secret, error) {
	redis, err := withUser("-redis", c.Redis, "", s["REDIS_PASSWORD"])
	if err != nil {
		return nil, err
	}
	data := map[contract.Service]map[string]string{
		contract.Auth:    {sealing: s[sealing], "REDIS_URL": redis, "SMTP_URL": c.SMTP},
		contract.Social:  {},
		contract.Chat:    {},
		contract.Gateway: {"REDIS_URL": redis},
	}
	var secrets []secret
	for _, service := range contract.Services() {
		name, settings := string(service), data[service]
		if service != contract.Gateway {
			prefix := strings.ToUpper(name)
			store, err := mongoURL(c.Mongo, name, s["MONGO_"+prefix+"_PASSWORD"])
			if err != nil {
				return nil, err
			}
			settings[prefix+"_STORE"] = store
		}
		settings["NATS_NKEY_SEED"] = s[natsconf.SeedVar(name)]
		secrets = append(secrets, newSecret("parley-"+name, opaque, settings))
	}
	return secrets, nil
}

// ofEngines are what services need of NATS's certificates, and the Secrets of
// the chart's own engines.
func (s Set) ofEngines() []secret {
	servers := map[string]string{"NATS_CLUSTER_PASSWORD": s["NATS_CLUSTER_PASSWORD"]}
	for _, user := range natsconf.Users() {
		for _, name := range []string{natsconf.NKeyVar(user), natsconf.OldNKeyVar(user)} {
			servers[name] = s[name]
		}
	}
	mongo := map[string]string{}
	for _, name := range Names() {
		if strings.HasPrefix(name, "MONGO_") {
			mongo[name] = s[name]
		}
	}
	return []secret{
		newSecret("parley-nats-ca", opaque, map[string]string{"ca.crt": s[caCert]}),
		newSecret("parley-nats-client", tlsPair, map[string]string{"tls.crt": s[clientCert], "tls.key": s[clientKey]}),
		newSecret("parley-nats", opaque, servers),
		newSecret("parley-nats-tls", tlsPair, map[string]string{"tls.crt": s[serverCert], "tls.key": s[serverKey], "ca.crt": s[caCert]}),
		newSecret("parley-mongo", opaque, mongo),
		newSecret("parley-redis", opaque, map[string]string{"REDIS_PASSWORD": s["REDIS_PASSWORD"]}),
	}
}

func newSecret(name, kind string, data map[string]string) secret {
	return secret{Metadata: metadata{Name: name}, Type: kind, StringData: data}
}

// mongoURL is where a service's database is, for its own user, who is known
// there.
func mongoURL(base, service, password string) (string, error) {
	whole, err := withUser("-mongo", base, service, password)
	if err != nil {
		return "", err
	}
	hosts, options, _ := strings.Cut(whole, "?")
	scheme, hosts, _ := strings.Cut(hosts, "://")
	hosts, database, _ := strings.Cut(hosts, "/")
	if database != "" {
		return "", errors.New("-mongo must not name a database: each service has its own")
	}
	if options != "" {
		options = "?" + options
	}
	return scheme + "://" + hosts + "/" + service + options, nil
}

// withUser puts user and password into a URL that has none. The URL may have
// several hosts, which package url does not take. Errors hold nothing of it.
func withUser(flag, base, user, password string) (string, error) {
	scheme, rest, ok := strings.Cut(base, "://")
	if !ok || scheme == "" || rest == "" || rest[0] == '/' {
		return "", fmt.Errorf("%s must be a URL, SCHEME://HOST/…", flag)
	}
	if strings.Contains(rest, "@") {
		return base, nil
	}
	return scheme + "://" + user + ":" + password + "@" + rest, nil
}
