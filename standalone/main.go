// Command standalone runs all of Parley in one process, on embedded NATS,
// Redis and SQLite, or some of its parts: see -h.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/parley-im/parley/pkg/run"
)

func main() {
	run.Main("standalone", func(ctx context.Context) error {
		return serve(ctx, os.Args[1:], os.Stdout, os.Stderr)
	})
}

// serve runs what the command line asks for until ctx ends. It tells out when
// all of it answers.
func serve(ctx context.Context, args []string, out, usage io.Writer) error {
	f, err := parseFlags(args, usage)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := readSettings()
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if f.backup != "" {
		return backUp(ctx, f, s, out)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g := run.NewGroup(ctx)
	if err := startAll(ctx, g, f, s, out); err != nil {
		cancel()
		return errors.Join(err, waitStopped(ctx, g))
	}
	return waitStopped(ctx, g)
}
