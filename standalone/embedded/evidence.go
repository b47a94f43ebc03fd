package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// evidence lists what a data directory has of data that was written under
// secrets, and of the stores elsewhere that belong to it: names of stores and
// of JetStream's directory.
func evidence(dir string, stores []string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, "*.db")) // the pattern is well formed, unless dir is odd
	for _, path := range append([]string{filepath.Join(dir, "nats", "jetstream")}, stores...) {
		if _, err := os.Stat(path); err == nil {
			found = append(found, path)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// lost refuses to make new secrets where data lies that was written under
// others: auth's signing keys could never be opened again.
func lost(dir string, stores []string) error {
	found := evidence(dir, stores)
	if len(found) == 0 {
		return nil
	}
	return fmt.Errorf("%s is missing, but there is data that was written with it, %s: restore %s from a backup; or move %s away, to begin without data",
		filepath.Join(dir, SecretsFile), strings.Join(found, ", "), SecretsFile, dir)
}

// RecordStores notes in the secrets of a data directory, which are there, that
// the stores of services have been in use: each the path of a file, by
// service. CheckStores then knows that a file is missing.
func RecordStores(ctx context.Context, dir string, stores map[string]string) error {
	path := filepath.Join(dir, SecretsFile)
	lock, err := awaitLock(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer lock.Close()
	secrets, err := readSecrets(path)
	if err != nil {
		return err
	}
	before := maps.Clone(secrets.Stores)
	if secrets.Stores == nil {
		secrets.Stores = map[string]string{}
	}
	for service, file := range stores {
		secrets.Stores[service] = seenFrom(dir, file)
	}
	if maps.Equal(before, secrets.Stores) {
		return nil
	}
	return writeSecrets(path, secrets)
}

// CheckStores refuses stores that were in use at the same path and whose file
// is missing or empty now: a new one would hide that all of it is gone.
func (s Secrets) CheckStores(dir string, stores map[string]string) error {
	var errs []error
	for _, service := range slices.Sorted(maps.Keys(stores)) {
		file := stores[service]
		if s.Stores[service] != seenFrom(dir, file) {
			continue // never used, or elsewhere
		}
		info, err := os.Stat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = fmt.Errorf("%s is missing, though it was in use", file)
		case err == nil && info.Size() == 0:
			err = fmt.Errorf("%s is empty, though it was in use", file)
		case err == nil:
			continue
		}
		errs = append(errs, fmt.Errorf("store of %s: %w: restore it from a backup; or, to begin without its data, take %q out of \"stores\" in %s, and remove the file if it is there",
			service, err, service, filepath.Join(dir, SecretsFile)))
	}
	return errors.Join(errs...)
}

// seenFrom is the path of a file as seen from the directory, if it lies in it:
// the directory may be moved with it.
func seenFrom(dir, file string) string {
	absDir, err := filepath.Abs(dir)
	if err != nil {
		return file
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	if rel, err := filepath.Rel(absDir, abs); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return abs
}
