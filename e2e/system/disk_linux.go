package system

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// CanFillDisk reports whether FillDisk works here.
const CanFillDisk = true

// FillDisk makes every write fail that would take a file of the process beyond
// 4 KiB, as on a disk without space, until EmptyDisk or its end. The kernel
// answers EFBIG rather than ENOSPC. No privilege is needed.
func (p *Process) FillDisk() error { return p.limitFiles(4096) }

// EmptyDisk ends FillDisk.
func (p *Process) EmptyDisk() error { return p.limitFiles(unix.RLIM_INFINITY) }

func (p *Process) limitFiles(size uint64) error {
	p.mu.Lock()
	pid := p.cmd.Process.Pid
	p.mu.Unlock()
	limit := unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		return fmt.Errorf("limit the files of %s: %w", p.Name, err)
	}
	return nil
}
