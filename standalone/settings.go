package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Settings are what the environment tells standalone itself; each service
// reads its own besides.
type Settings struct {
	NATSURL  string `envconfig:"NATS_URL" shared:"true" desc:"NATS to use; standalone then starts none. Empty: the embedded one, at -nats-addr."`
	RedisURL string `envconfig:"REDIS_URL" shared:"true" desc:"Redis to use; standalone then starts none. Empty: the embedded one, at -redis-addr."`
	MongoURI string `envconfig:"MONGO_URI" shared:"true" desc:"MongoDB in which services keep their records, each in a database of its own. Empty: SQLite in the data directory."`

	Telemetry telemetry.Config
}

func readSettings() (Settings, error) {
	var s Settings
	return s, run.Config("STANDALONE", &s)
}

// storeURL is where a service keeps its records: what its own <NAME>_STORE
// says, else MongoDB if there is one, else a file in the data directory.
func (s Settings) storeURL(service contract.Service, data string) string {
	if own := os.Getenv(strings.ToUpper(string(service)) + "_STORE"); own != "" {
		return own
	}
	if s.MongoURI != "" {
		return s.MongoURI
	}
	return "sqlite:" + filepath.Join(data, string(service)+".db")
}
