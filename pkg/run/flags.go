package run

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// ParseFlags reads a command line that has flags only. flag.ErrHelp says that
// the usage was asked for, and written to out below the line about. Any other
// error names the flag, and the one that was probably meant.
func ParseFlags(set *flag.FlagSet, args []string, about string, out io.Writer) error {
	set.SetOutput(io.Discard) // mistakes are returned
	err := set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(out, about)
		set.SetOutput(out)
		set.PrintDefaults()
		return err
	case err != nil:
		if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
			return unknownFlag(set, name)
		}
		return fmt.Errorf("%w; -help lists all flags", err)
	case set.NArg() > 0:
		return fmt.Errorf("unexpected argument %q; -help lists all flags", set.Arg(0))
	}
	return nil
}

func unknownFlag(set *flag.FlagSet, name string) error {
	var all []string
	set.VisitAll(func(f *flag.Flag) { all = append(all, f.Name) })
	if near := Nearest(strings.ToLower(name), all); near != "" {
		return fmt.Errorf("there is no flag -%s; did you mean -%s? -help lists all flags", name, near)
	}
	return fmt.Errorf("there is no flag -%s; -help lists all flags", name)
}
