// Command load measures how fast Parley is, as its users would find it: it
// registers people through the public API, connects their devices, has them
// talk, and counts every message at every member. See docs/performance.md.
//
// It must cost less than what it measures. A device is one goroutine and one
// buffer (socket.go, device.go); a delivered frame is found by a scan of its
// first bytes rather than decoded (frame.go), its latency read from its own
// client_id (clientid.go), and its seq a bit in a set (received.go).
package main

//go:generate go test . -run TestDocs_are_current -update
