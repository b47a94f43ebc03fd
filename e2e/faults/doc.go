// Package faults is the proof that Parley loses nothing: people talk, leave
// and come back while processes are killed and stopped, connections are cut,
// slowed and left half open, and inserts go wrong. Afterwards what was
// acknowledged, what is stored and what every member received are compared.
//
// A run is repeated by its seed: the faults, and when they come, follow from
// it alone. See `make faults`.
package faults
