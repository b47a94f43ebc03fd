package auth

import (
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/pkg/telemetry/telemetrytest"
)

func TestTimed_measures_every_verb(t *testing.T) {
	tel := telemetry.Discard(contract.Auth)
	telemetrytest.Timed(t, newTimed(nil, "sqlite:x", tel), tel)
}
