//go:build !race

package system

// raceEnabled says that the tests run under the race detector; the processes
// then do, too.
const raceEnabled = false
