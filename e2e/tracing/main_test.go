package tracing

import (
	"os"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/system"
)

// patience is the longest time that a test waits for anything.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	status := m.Run()
	system.Cleanup()
	os.Exit(status)
}
