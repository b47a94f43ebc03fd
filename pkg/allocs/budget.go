// Package allocs holds benchmarks to what they may allocate. Time differs from
// machine to machine and from minute to minute, allocations do not: so this is
// the gate that a change must pass, while time is compared by make bench.
//
// Its tests stand in files for builds without the race detector, under which
// the same code allocates more, and differently each time: make allocs runs
// them, as a part of make test.
package allocs

import (
	"flag"
	"sync/atomic"
	"testing"
)

// iterations is how often the work of one benchmark is done: a count rather
// than a time, so that what is allocated once has the same share on every
// machine.
const iterations = "500x"

// Budget is the most that one operation of a benchmark may allocate.
type Budget struct {
	Name string // of the subtest
	Run  func(*testing.B)
	// Allocs is the number of allocations. Of a benchmark with others inside it
	// is their sum, each rounded down. Zero allows none.
	Allocs int64
}

// Check fails the test, as a subtest of each budget's name, if a benchmark
// allocates more than its budget, or fails itself. It is for tests that run
// alone: neither they nor what they call may be parallel, for allocations are
// counted of the whole process.
func Check(t *testing.T, budgets ...Budget) {
	t.Helper()
	restore := fix(t)
	defer restore()
	for _, b := range budgets {
		t.Run(b.Name, func(t *testing.T) { b.check(t) })
	}
}

// fix has testing.Benchmark do a fixed number of iterations until restore.
func fix(t *testing.T) (restore func()) {
	t.Helper()
	length := flag.Lookup("test.benchtime").Value.String()
	set := func(value string) {
		if err := flag.Set("test.benchtime", value); err != nil {
			t.Fatal(err)
		}
	}
	set(iterations)
	return func() { set(length) }
}

// failer is what check needs of a test.
type failer interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
}

func (b Budget) check(t failer) {
	t.Helper()
	var failed atomic.Bool
	// What a benchmark logs, testing.Benchmark throws away.
	result := testing.Benchmark(func(run *testing.B) {
		defer func() { failed.Store(failed.Load() || run.Failed()) }()
		b.Run(run)
	})
	switch got := result.AllocsPerOp(); {
	case failed.Load() || result.N == 0:
		t.Errorf("the benchmark fails: go test -run '^$' -bench . says why")
	case got > b.Allocs:
		t.Errorf("%d allocations an operation, %d bytes; the budget is %d allocations", got, result.AllocedBytesPerOp(), b.Allocs)
	default:
		t.Logf("%d allocations an operation of at most %d", got, b.Allocs)
	}
}
