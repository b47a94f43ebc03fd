// Command parleyctl is for whoever runs Parley: it looks users and rooms up, ends
// what must end, exports and erases what is kept about a user, and tells what
// is wrong with an installation. It asks the services over NATS as the user
// admin; what it does lands in IM_EVENTS. See docs/parleyctl.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the default action of a signal is back
	os.Exit(execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
