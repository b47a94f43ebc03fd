// Package run starts and stops processes: configuration from the environment,
// signals, the order in which parts start and stop.
package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main runs f until it returns and exits the process: with status 0 when f
// returned nil, or because it was asked to stop, else with 1 and the error in
// one line. SIGINT and SIGTERM cancel f's context; a second one kills.
func Main(name string, f func(ctx context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the default action of a signal is back
	err := f(ctx)
	asked := ctx.Err() != nil && errors.Is(err, context.Canceled)
	if err != nil && !asked {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}
