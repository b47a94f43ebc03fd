package main

import (
	"fmt"
	"syscall"
)

// otherFiles is how many files this process opens besides its connections:
// HTTP calls, mails, pipes.
const otherFiles = 500

// checkFiles tells before anything begins that the connections cannot be.
// Go's runtime raises the soft limit by itself, here as in the gateways that
// are started, to the hard one, which only root may raise.
func checkFiles(conns int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	if need := uint64(max(0, conns) + otherFiles); limit.Max < need {
		return fmt.Errorf("%d connections need %d open files, and this process may have %d: raise it with ulimit -Hn", conns, need, limit.Max)
	}
	return nil
}
