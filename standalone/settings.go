package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/auth"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/gateway"
	"github.com/parley-im/parley/services/social"
)

// Settings are what the environment tells standalone itself; each service
// reads its own besides.
type Settings struct {
	NATSURL  string `envconfig:"NATS_URL" shared:"true" desc:"NATS to use; standalone then starts none. Empty: the embedded one, at -nats-addr."`
	RedisURL string `envconfig:"REDIS_URL" shared:"true" form:"begins=redis://,rediss://" desc:"Redis to use; standalone then starts none. Empty: the embedded one, at -redis-addr."`
	MongoURI string `envconfig:"MONGO_URI" shared:"true" form:"begins=mongodb://,mongodb+srv://" desc:"MongoDB in which services keep their records, each in a database of its own. Empty: SQLite in the data directory."`

	Telemetry telemetry.Config
}

// readSettings also refuses misspelt names of every service's settings, those
// of services that don't run here, too.
func readSettings() (Settings, error) {
	var s Settings
	errs := []error{run.Config(ownPrefix, &s), run.CheckNames(ownPrefix, &s)}
	all := configs()
	for _, service := range contract.Services() {
		errs = append(errs, run.CheckNames(strings.ToUpper(string(service)), all[service]))
	}
	return s, errors.Join(errs...)
}

const ownPrefix = "STANDALONE"

// configs are the settings of each service, as they are before they are read.
func configs() map[contract.Service]any {
	return map[contract.Service]any{
		contract.Auth: &auth.Config{}, contract.Social: &social.Config{}, contract.Chat: &chat.Config{}, contract.Gateway: &gateway.Config{},
	}
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

// storeFiles are the files of the services that run here and keep their
// records in one.
func (s Settings) storeFiles(f flags) map[string]string {
	files := map[string]string{}
	for _, service := range backedUp() {
		if path, isFile := strings.CutPrefix(s.storeURL(service, f.data), "sqlite:"); isFile && f.runs(string(service)) {
			files[string(service)] = path
		}
	}
	return files
}
