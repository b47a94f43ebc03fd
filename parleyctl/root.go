package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
)

// settings are the flags that all commands have.
type settings struct {
	nats    string
	data    string
	by      string
	reason  string
	json    bool
	timeout time.Duration
}

// act is who asks, and why: one for each call, as it says when.
func (s *settings) act() contract.Act {
	return contract.Act{By: s.by, Reason: s.reason, AskedAt: contract.NewTime(time.Now())}
}

// execute runs a command line, and returns the status to exit with: see exit.go.
func execute(ctx context.Context, args []string, in io.Reader, out, complaints io.Writer) int {
	s := &settings{}
	root := newRoot(s)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(complaints)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return statusOK
	}
	if !errors.Is(err, errUnwell) { // which doctor has told by itself
		complain(complaints, command.CommandPath(), err, s.json)
	}
	return status(err)
}

func newRoot(s *settings) *cobra.Command {
	root := &cobra.Command{
		Use:   "parleyctl",
		Short: "Look after an installation of Parley",
		Long: `parleyctl looks after an installation of Parley: it asks its services over NATS, as the user admin.

It finds a standalone by --data, its data directory (./data when there is one), and other
installations by the environment: NATS_URL, NATS_NKEY_SEED or NATS_USER and NATS_PASSWORD,
NATS_CA_FILE, NATS_CERT_FILE and NATS_KEY_FILE, each also with PARLEY_ before it.`,
		Version:           fmt.Sprintf("%s (%s)", run.Version, telemetry.Revision()),
		Args:              nothing,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceErrors:     true, // execute tells them
		SilenceUsage:      true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return s.check() },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&s.nats, "nats", "", "`URL` of NATS, in place of NATS_URL or what the data directory says")
	flags.StringVar(&s.data, "data", "", "data `directory` of a standalone, which has the admin's password")
	flags.StringVar(&s.by, "by", user(), "`who` asks; it stands in the audit event")
	flags.StringVar(&s.reason, "reason", "", "`why`, at most 200 characters, nothing personal; it stands in the audit event")
	flags.BoolVar(&s.json, "json", false, "print JSON")
	flags.DurationVar(&s.timeout, "timeout", 10*time.Second, "how long one question may take")
	root.SetFlagErrorFunc(badFlag)
	root.AddCommand(
		newUsers(s), newRooms(s), newMessages(s), newExport(s), newErase(s),
		newKeys(s), newToken(s), newDoctor(s),
	)
	return root
}

// group is a command that has only others below it.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: nothing, RunE: func(c *cobra.Command, _ []string) error {
		return usage(fmt.Errorf("say what to do: %s --help", c.CommandPath()))
	}}
	c.AddCommand(below...)
	return c
}

func (s *settings) check() error {
	if s.timeout <= 0 {
		return usage(errors.New("--timeout must be positive"))
	}
	return nil
}

// needReason refuses to do without a reason what somebody will ask about. It
// is such a command's PreRunE.
func (s *settings) needReason(*cobra.Command, []string) error {
	if s.reason == "" {
		return usage(errors.New("say why: --reason"))
	}
	return nil
}

// user is the login of whoever runs the program; empty where there is none.
func user() string {
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	return os.Getenv("LOGNAME")
}
