package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// addressesFile lies in the data directory. parleyctl reads it.
const addressesFile = "addresses.json"

// addresses are where the process listens that runs a data directory's NATS.
type addresses struct {
	NATS string `json:"nats"` // URL
	Ops  string `json:"ops"`  // base URL of the operations port
}

// writeAddresses puts the file in place at once. It stays when the process
// ends: the next one writes it anew.
func writeAddresses(dir, natsURL string, ops net.Addr) error {
	data, err := json.Marshal(addresses{NATS: natsURL, Ops: "http://" + ops.String()})
	if err != nil {
		return fmt.Errorf("encode addresses: %w", err)
	}
	file, err := os.CreateTemp(dir, addressesFile+".*")
	if err != nil {
		return fmt.Errorf("write addresses: %w", err)
	}
	defer os.Remove(file.Name()) // nothing to remove once renamed
	_, err = file.Write(append(data, '\n'))
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write addresses: %w", err)
	}
	if err := os.Rename(file.Name(), filepath.Join(dir, addressesFile)); err != nil {
		return fmt.Errorf("write addresses: %w", err)
	}
	return nil
}
