package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/parley-im/parley/pkg/run"
)

// nothing is cobra.NoArgs for a command that has others below it, as a mistake
// in the command line, with the command that was probably meant.
func nothing(c *cobra.Command, args []string) error {
	err := cobra.NoArgs(c, args)
	if err == nil {
		return nil
	}
	var names []string
	for _, below := range c.Commands() {
		names = append(names, below.Name())
	}
	if near := run.Nearest(args[0], names); near != "" {
		return usage(fmt.Errorf("%w; did you mean %s? %s --help lists all", err, near, c.CommandPath()))
	}
	return usage(fmt.Errorf("%w; %s --help lists all", err, c.CommandPath()))
}

// exactly is cobra.ExactArgs, as a mistake in the command line, with what the
// command wants.
func exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(c, args); err != nil {
			return usage(fmt.Errorf("%w: %s", err, c.UseLine()))
		}
		return nil
	}
}

// badFlag says how the flag is written that was probably meant.
func badFlag(c *cobra.Command, err error) error {
	name, unknown := strings.CutPrefix(err.Error(), "unknown flag: --")
	switch {
	case strings.Contains(err.Error(), "missing unit in duration"):
		return usage(fmt.Errorf("%w; write 5s for seconds, or 5m", err))
	case !unknown:
		return usage(fmt.Errorf("%w; %s --help lists all flags", err, c.CommandPath()))
	}
	var names []string
	add := func(f *pflag.Flag) { names = append(names, f.Name) }
	c.Flags().VisitAll(add)
	c.InheritedFlags().VisitAll(add)
	if near := run.Nearest(name, names); near != "" {
		return usage(fmt.Errorf("%w; did you mean --%s? %s --help lists all flags", err, near, c.CommandPath()))
	}
	return usage(fmt.Errorf("%w; %s --help lists all flags", err, c.CommandPath()))
}

// opsURL is the base URL of an operations port that may be written as
// host:port.
func opsURL(text string) (string, error) {
	text = strings.TrimSuffix(text, "/")
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		return text, nil
	}
	if err := run.CheckAddress(text); err != nil {
		return "", usage(fmt.Errorf("--ops: %w", err))
	}
	if strings.HasPrefix(text, ":") {
		text = "127.0.0.1" + text
	}
	return "http://" + text, nil
}
