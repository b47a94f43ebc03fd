//go:build !linux

package system

import "errors"

// CanFillDisk reports whether FillDisk works here.
const CanFillDisk = false

var errNoLimit = errors.New("only Linux limits the files of another process")

// FillDisk returns an error here.
func (p *Process) FillDisk() error { return errNoLimit }

// EmptyDisk returns an error here.
func (p *Process) EmptyDisk() error { return errNoLimit }
