//go:build !unix

package gateway

// read waits and reads.
func (s *source) read() error { return s.readPlain() }
