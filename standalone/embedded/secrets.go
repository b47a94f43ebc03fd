package embedded

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/parley-im/parley/pkg/contract"
)

// SecretsFile lies in the data directory, readable by its owner only.
const SecretsFile = "secrets.json"

// Secrets are what the servers of one data directory and their clients share.
type Secrets struct {
	// NATS has the password of each NATS user: the services, the admin, the
	// operator and the observer, who needs it only away from loopback.
	NATS map[string]string `json:"nats"`
	// Cluster is the password by which the nodes of a NATS cluster know each
	// other. All nodes need the same.
	Cluster string `json:"nats_cluster"`
	// Redis is the password of the default user.
	Redis string `json:"redis"`
	// KeyEncryption is 32 random bytes in base64, under which auth keeps its
	// signing keys. Without it they are lost.
	KeyEncryption string `json:"key_encryption"`
	// Stores has the file of each service's store that has been in use; see
	// RecordStores.
	Stores map[string]string `json:"stores,omitempty"`
}

// LoadSecrets reads the secrets of a data directory, and makes those that
// aren't there yet. One that is there is never changed. Processes that start
// on the same directory at the same moment get the same secrets. Where the
// whole file is missing, but the directory has data, or one of the stores is
// there, it is an error.
func LoadSecrets(ctx context.Context, dir string, stores ...string) (Secrets, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Secrets{}, fmt.Errorf("make data directory: %w", err)
	}
	path := filepath.Join(dir, SecretsFile)
	lock, err := awaitLock(ctx, path+".lock")
	if err != nil {
		return Secrets{}, err
	}
	defer lock.Close()

	secrets, err := readSecrets(path)
	if err != nil {
		return Secrets{}, err
	}
	isNew := secrets.KeyEncryption == "" && secrets.Redis == "" && len(secrets.NATS) == 0
	if !secrets.fill() {
		return secrets, nil
	}
	if isNew {
		if err := lost(dir, stores); err != nil {
			return Secrets{}, err
		}
	}
	return secrets, writeSecrets(path, secrets)
}

// fill makes what is missing and reports whether anything was.
func (s *Secrets) fill() bool {
	changed := false
	if s.NATS == nil {
		s.NATS = map[string]string{}
	}
	for _, user := range natsUserNames() {
		if s.NATS[user] == "" {
			s.NATS[user], changed = rand.Text(), true
		}
	}
	if s.Cluster == "" {
		s.Cluster, changed = rand.Text(), true
	}
	if s.Redis == "" {
		s.Redis, changed = rand.Text(), true
	}
	if s.KeyEncryption == "" {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails: it ends the process instead
		s.KeyEncryption, changed = base64.StdEncoding.EncodeToString(key), true
	}
	return changed
}

// natsUserNames are the users of the embedded NATS server.
func natsUserNames() []string {
	var names []string
	for _, u := range contract.NATSUsers() {
		names = append(names, u.Name)
	}
	return names
}

// readSecrets returns no secrets when there is no file, and refuses one that
// it can't read rather than replace it.
func readSecrets(path string) (Secrets, error) {
	var s Secrets
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read secrets: %w", err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("read secrets: %s is damaged, restore it from a backup: %w", path, err)
	}
	return s, nil
}

// writeSecrets puts the whole file in place at once, so that a crash leaves
// either the old one or the new one.
func writeSecrets(path string, s Secrets) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode secrets: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), SecretsFile+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write secrets: %w", err)
	}
	defer os.Remove(file.Name()) // nothing to remove once renamed
	_, err = file.Write(append(data, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write secrets: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("write secrets: %w", err)
	}
	return nil
}
