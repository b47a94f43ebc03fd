package gateway

import (
	"net"
	"sync"
	"syscall"
)

// readBytes is the size of read buffers: most frames come in one read.
const readBytes = 4096

// readBuffers are those that no connection reads into: each has one only
// while it has read something and not carried it out.
var readBuffers = sync.Pool{New: func() any { return new([readBytes]byte) }}

// source is a connection's bytes. Only the connection's reader uses it.
type source struct {
	nc  net.Conn
	raw syscall.RawConn    // of nc; nil: it has none
	try func(uintptr) bool // source.tryRead, made once

	buffer   *[readBytes]byte // nil: nothing is unread, unless early
	early    []byte           // what came with the upgrade
	from, to int              // what is unread of the buffer
	err      error            // of the last try
}

// open has the source read from the connection, after what was read of it
// already.
func (s *source) open(nc net.Conn, early []byte) {
	s.nc, s.early = nc, early
	if l, ok := nc.(*lingerConn); ok {
		nc = l.Conn
	}
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			s.raw = raw
		}
	}
}

// unread is what has been read and not consumed.
func (s *source) unread() []byte {
	switch {
	case s.early != nil:
		return s.early
	case s.buffer != nil:
		return s.buffer[s.from:s.to]
	default:
		return nil
	}
}

// consume takes n unread bytes away.
func (s *source) consume(n int) {
	if s.early != nil {
		s.early = s.early[n:]
		return
	}
	s.from += n
}

// fill waits until there is more to read, and reads some of it.
func (s *source) fill() error {
	s.makeRoom()
	return s.read()
}

// makeRoom gives an empty buffer back, and moves what is unread to the front
// of another. That is never a buffer full: it is less than a frame's header or
// than a control frame.
func (s *source) makeRoom() {
	rest := s.unread()
	if len(rest) == 0 {
		s.release()
		return
	}
	if s.buffer == nil {
		s.borrow()
	}
	s.to = copy(s.buffer[:], rest)
	s.from, s.early = 0, nil
}

func (s *source) borrow() {
	s.buffer, _ = readBuffers.Get().(*[readBytes]byte)
	s.from, s.to = 0, 0
}

// release gives the buffer back. What is unread is lost.
func (s *source) release() {
	if s.buffer != nil {
		readBuffers.Put(s.buffer)
		s.buffer = nil
	}
	s.early = nil
}

// readPlain reads without knowing beforehand that there is something.
func (s *source) readPlain() error {
	if s.buffer == nil {
		s.borrow()
	}
	n, err := s.nc.Read(s.buffer[s.to:])
	s.to += n
	if n > 0 {
		return nil
	}
	return err
}
