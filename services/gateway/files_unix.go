//go:build unix

package gateway

import "syscall"

// openFiles is how many files the process may have open; 0 when that is not
// known or not bounded. The Go runtime has raised it to what it may be.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || limit.Cur > 1<<30 {
		return 0
	}
	return uint64(limit.Cur) //nolint:unconvert // signed on some systems
}
