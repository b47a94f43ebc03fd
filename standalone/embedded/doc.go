// Package embedded starts the servers that Parley speaks to in this very
// process: NATS with JetStream and the permissions of pkg/contract, Redis, and
// an SMTP sink. They are reached over TCP by their ordinary clients, so that
// nothing changes when real ones take their place.
package embedded
