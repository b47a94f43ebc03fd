package run_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
)

// asService has this test binary be a service's own, in a process of its own.
const asService = "RUN_TEST_AS_SERVICE"

func TestMain(m *testing.M) {
	if os.Getenv(asService) == "" {
		os.Exit(m.Run())
	}
	var cfg settings
	run.Service(contract.Gateway, &cfg, func() telemetry.Config { return cfg.Telemetry },
		func(context.Context, *telemetry.Telemetry) error { return errors.New("it has started") })
}

func TestService_first_mistakes(t *testing.T) {
	for name, c := range map[string]struct {
		args, env []string
		want      string
	}{
		"misspelt setting": {env: []string{"GATEWAY_HERTBEAT=25s"}, want: "there is no setting GATEWAY_HERTBEAT; did you mean GATEWAY_HEARTBEAT?"},
		"no unit":          {env: []string{"GATEWAY_HEARTBEAT=25"}, want: "GATEWAY_HEARTBEAT has no unit: write 25s"},
		"misspelt flag":    {args: []string{"-verson"}, want: "there is no flag -verson; did you mean -version? -help lists all flags"},
		"an argument":      {args: []string{"start"}, want: `unexpected argument "start"`},
		"service links":    {env: []string{"GATEWAY_PORT=tcp://10.0.0.1:8080", "GATEWAY_SERVICE_HOST=10.0.0.1"}, want: "it has started"},
	} {
		t.Run(name, func(t *testing.T) {
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), self, c.args...)
			cmd.Env = append(os.Environ(), append(c.env, asService+"=1", "OPS_ADDR=127.0.0.1:0")...)
			out, err := cmd.CombinedOutput()
			if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), c.want) {
				t.Errorf("got %v:\n%s\nwant status 1 and %q", err, out, c.want)
			}
		})
	}
}
