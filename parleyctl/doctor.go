package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
)

// finding is one thing that was looked at.
type finding struct {
	Part    string `json:"part"`              // a service, "nats" or "admin"
	Replica string `json:"replica,omitempty"` // of a service; of a gateway, the operations port that was asked
	contract.Check
}

func newDoctor(s *settings) *cobra.Command {
	var ops []string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look at every part, what it depends on, and how they fit together",
		Long: `doctor looks at NATS, at what the admin's and each service's user may do there, and at each replica of
each service: its version and clock, its store with schema and indexes, Redis, the stream of events.
Gateways answer no calls: they are asked at their operations ports, --ops; of a standalone it knows the port.

It exits with 0 when all is well, and 1 when something is not.`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			for i, text := range ops {
				url, err := opsURL(text)
				if err != nil {
					return err
				}
				ops[i] = url
			}
			if len(ops) == 0 {
				ops = s.knownOps()
			}
			all := s.examine(c.Context(), ops, c.ErrOrStderr())
			if err := s.report(c.OutOrStdout(), all); err != nil {
				return err
			}
			if slices.ContainsFunc(all, func(f finding) bool { return !f.OK }) {
				return errUnwell
			}
			return nil
		},
	}
	c.Flags().StringSliceVar(&ops, "ops", nil, "base `URLs` of operations ports, separated by commas; those of all gateways")
	return c
}

// knownOps is the operations port of a standalone's data directory.
func (s *settings) knownOps() []string {
	dir := s.dataDir()
	if dir == "" {
		return nil
	}
	at, err := readAddresses(dir)
	if err != nil || at.Ops == "" {
		return nil
	}
	return []string{at.Ops}
}

// examine looks at everything that can be reached.
func (s *settings) examine(ctx context.Context, ops []string, complaints io.Writer) []finding {
	a, err := connect(ctx, s, complaints)
	if err != nil {
		return append([]finding{check("nats", "connection", told(err).Detail)}, gateways(ctx, ops)...)
	}
	defer a.close()
	connected := check("nats", "connection", "")
	connected.Detail = "version " + a.nc.ConnectedServerVersion()
	all := []finding{connected, a.permissions(ctx)}
	for _, service := range contract.Services() {
		if service != contract.Gateway { // they answer no calls
			all = append(all, a.service(ctx, service)...)
		}
	}
	return append(all, gateways(ctx, ops)...)
}

// permissions are the admin's own.
func (a *admin) permissions(ctx context.Context) finding {
	refused, err := bus.Refused(ctx, a.cfg, contract.Admin, contract.AdminPermission())
	problem := ""
	switch {
	case err != nil:
		problem = err.Error()
	case len(refused) > 0:
		problem = "NATS refuses: " + strings.Join(refused, ", ")
	}
	return check(string(contract.Admin), "permissions", problem)
}

// check is a finding that holds without a problem.
func check(part, name, problem string) finding {
	return finding{Part: part, Check: contract.Check{Name: name, OK: problem == "", Detail: problem}}
}

// report prints what was found, one line each, and how much of it is wrong.
func (s *settings) report(out io.Writer, all []finding) error {
	wrong := 0
	rows := make([][]string, len(all))
	for i, f := range all {
		state := "ok"
		if !f.OK {
			state = "WRONG"
			wrong++
		}
		rows[i] = []string{f.Part, f.Replica, f.Name, state, f.Detail}
	}
	if s.json {
		return printJSON(out, struct {
			OK     bool      `json:"ok"`
			Checks []finding `json:"checks"`
		}{wrong == 0, all})
	}
	if err := printTable(out, []string{"PART", "REPLICA", "CHECK", "", ""}, rows); err != nil {
		return err
	}
	verdict := fmt.Sprintf("\nAll is well: %d checks.\n", len(all))
	if wrong > 0 {
		verdict = fmt.Sprintf("\n%d of %d checks found something wrong.\n", wrong, len(all))
	}
	_, err := io.WriteString(out, verdict)
	return err
}
