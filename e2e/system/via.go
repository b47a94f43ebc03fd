package system

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/mongodb/mongotest"
)

func (o Options) via(from, to, addr string) string {
	if o.Via == nil {
		return addr
	}
	return o.Via(from, to, addr)
}

// program is what runs a part.
func (o Options) program(t testing.TB, part string) string {
	if path, ok := o.Programs[part]; ok {
		return path
	}
	return Build(t, standalone)
}

// logFile is where a process's output goes, besides what is kept for a failed
// test.
func (o Options) logFile(name string) string {
	if o.Logs == "" {
		return ""
	}
	return filepath.Join(o.Logs, name+".log")
}

// stores gives each service with records a fresh database on the server that
// MONGO_URI names; without one they keep to SQLite in the data directory.
func stores(t testing.TB, data string) map[contract.Service]string {
	t.Helper()
	urls := map[contract.Service]string{}
	for _, service := range []contract.Service{contract.Auth, contract.Social, contract.Chat} {
		urls[service] = "sqlite:" + filepath.Join(data, string(service)+".db")
		if os.Getenv("MONGO_URI") != "" {
			urls[service] = mongotest.URI(t)
		}
	}
	return urls
}

// storeEnv tells a process where the stores are.
func (o Options) storeEnv(name string, stores map[contract.Service]string) []string {
	var env []string
	for service, store := range stores {
		env = append(env, strings.ToUpper(string(service))+"_STORE="+o.viaMongo(name, store))
	}
	return env
}

// viaMongo has a MongoDB store reached by way of Via, if it is one server:
// the driver would go straight to the other members of a set.
func (o Options) viaMongo(name, store string) string {
	u, err := url.Parse(store)
	if o.Via == nil || err != nil || u.Scheme != "mongodb" || strings.Contains(u.Host, ",") {
		return store
	}
	query := u.Query()
	query.Set("directConnection", "true")
	u.Host, u.RawQuery = o.via(name, "mongo", u.Host), query.Encode()
	return u.String()
}
