package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/sqlite"
	"github.com/parley-im/parley/standalone/embedded"
)

// backedUp are the services with a store, in the order of copying. Each store
// may know things that the one before does not, and never the other way
// round: whoever is in a room knows no head of it that chat does not, and nobody
// in either is unknown to auth.
func backedUp() []contract.Service {
	return []contract.Service{contract.Social, contract.Chat, contract.Auth}
}

// backUp copies the stores and secrets of a data directory, in which standalone
// may be running, into a new one. A copy that was broken off has no secrets.
func backUp(ctx context.Context, f flags, s Settings, out io.Writer) error {
	if _, err := os.Stat(f.backup); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("back up: %s is there already: %w", f.backup, errors.Join(err, os.ErrExist))
	}
	for _, service := range backedUp() {
		path, isFile := strings.CutPrefix(s.storeURL(service, f.data), "sqlite:")
		if !isFile {
			return fmt.Errorf("back up: %s keeps its records in MongoDB; use mongodump", service)
		}
		if err := sqlite.Backup(ctx, path, filepath.Join(f.backup, string(service)+".db")); err != nil {
			return err
		}
	}
	if err := copySecrets(f); err != nil {
		return fmt.Errorf("back up secrets: %w", err)
	}
	fmt.Fprintln(out, "backed up to", f.backup)
	return nil
}

// copySecrets is last: with them the copy is whole.
func copySecrets(f flags) (err error) {
	secrets, err := os.ReadFile(filepath.Join(f.data, embedded.SecretsFile))
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(f.backup, embedded.SecretsFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(secrets)
	return errors.Join(err, file.Sync(), file.Close())
}
