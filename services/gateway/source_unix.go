//go:build unix

package gateway

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// read waits with no more than a small stack, and takes a buffer only once
// there is something to put into it. A net.Conn's Read is called with the
// buffer, and holds it for as long as the client is silent.
func (s *source) read() error {
	if s.raw == nil {
		return s.readPlain()
	}
	if s.try == nil {
		s.try = s.tryRead
	}
	if err := s.raw.Read(s.try); err != nil {
		return err
	}
	return s.err
}

// tryRead reads what is there. It returns false when that is nothing yet.
func (s *source) tryRead(fd uintptr) bool {
	if s.buffer == nil {
		s.borrow()
	}
	if s.receive(fd) {
		return true
	}
	if s.from == s.to {
		s.release()
	}
	return false
}

// look reads what is there, and tells whether the client has gone. It never
// waits, and what was read before stays in place.
func (s *source) look() error {
	if s.raw == nil || s.early != nil || s.buffer != nil && s.to == readBytes {
		return nil
	}
	fresh := s.buffer == nil
	if fresh {
		s.borrow()
	}
	s.err = nil
	if err := s.raw.Read(func(fd uintptr) bool { s.receive(fd); return true }); err != nil {
		s.err = err
	}
	if fresh && s.to == 0 {
		s.release()
	}
	return s.err
}

// receive reads into what is left of the buffer, and returns false when there
// is nothing yet.
func (s *source) receive(fd uintptr) bool {
	for {
		n, err := syscall.Read(int(fd), s.buffer[s.to:])
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			return false
		case err != nil:
			s.err = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", err)}
		case n == 0:
			s.err = io.EOF
		default:
			s.to += n
			s.err = nil
		}
		return true
	}
}
