package deploy

import (
	"os"
	"testing"

	"github.com/parley-im/parley/e2e/system"
)

func TestMain(m *testing.M) {
	status := m.Run()
	system.Cleanup()
	os.Exit(status)
}
