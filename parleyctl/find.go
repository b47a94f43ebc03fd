package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
)

// What a standalone keeps in its data directory.
const (
	defaultData   = "data"
	secretsFile   = "secrets.json"
	addressesFile = "addresses.json"
)

// envPrefix may stand before the names of bus.Config. Other programs have
// variables with it, too.
const envPrefix = "PARLEY"

// addresses are where a standalone listens.
type addresses struct {
	NATS string `json:"nats"` // URL
	Ops  string `json:"ops"`  // base URL of the operations port
}

// natsConfig is how to connect: as the admin of a data directory, or as the
// environment says.
func (s *settings) natsConfig() (bus.Config, error) {
	var cfg bus.Config
	if err := errors.Join(run.Config(envPrefix, &cfg), run.CheckNearNames(envPrefix, &cfg)); err != nil {
		return cfg, usage(fmt.Errorf("environment: %w", err))
	}
	if cfg.Name == "" {
		cfg.Name = "parleyctl"
	}
	if dir := s.dataDir(); dir != "" {
		if err := s.ofData(&cfg, dir); err != nil {
			return cfg, usage(err)
		}
	}
	if s.nats != "" {
		if err := bus.CheckServers(s.nats); err != nil {
			return cfg, usage(fmt.Errorf("--nats: %w", err))
		}
		cfg.URL = s.nats
	}
	return cfg, nil
}

// dataDir is the data directory to use: the one that was named, or ./data when
// there is one and the environment names no NATS. Empty: none.
func (s *settings) dataDir() string {
	if s.data != "" {
		return s.data
	}
	if inEnvironment() {
		return ""
	}
	if _, err := os.Stat(filepath.Join(defaultData, secretsFile)); err != nil {
		return ""
	}
	return defaultData
}

// inEnvironment reports whether the environment names a NATS.
func inEnvironment() bool {
	return os.Getenv("NATS_URL") != "" || os.Getenv(envPrefix+"_NATS_URL") != ""
}

// found reports whether anything says which installation is meant.
func (s *settings) found() bool { return s.nats != "" || s.dataDir() != "" || inEnvironment() }

func (s *settings) ofData(cfg *bus.Config, dir string) error {
	var secrets struct {
		NATS map[string]string `json:"nats"`
	}
	if err := readJSON(filepath.Join(dir, secretsFile), &secrets); err != nil {
		return fmt.Errorf("read the data directory: %w", err)
	}
	password := secrets.NATS[string(contract.Admin)]
	if password == "" {
		return fmt.Errorf("%s has no password for the admin: it is older than parleyctl; the next start of standalone adds one", filepath.Join(dir, secretsFile))
	}
	cfg.User, cfg.Password, cfg.NKeySeed = string(contract.Admin), password, ""
	at, err := readAddresses(dir)
	if at.NATS != "" {
		cfg.URL = at.NATS
	}
	return err
}

// readAddresses is empty for a standalone that has not run NATS yet.
func readAddresses(dir string) (addresses, error) {
	var at addresses
	err := readJSON(filepath.Join(dir, addressesFile), &at)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return at, err
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s is damaged", path) // its text could hold a secret
	}
	return nil
}
