//go:build !unix

package gateway

// read waits and reads.
func (s *source) read() error { return s.readPlain() }

// look can't tell without waiting.
func (s *source) look() error { return nil }
