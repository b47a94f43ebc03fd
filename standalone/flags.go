package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
)

// The parts that are not services.
const (
	partNATS  = "nats"
	partRedis = "redis"
)

// allParts lists the parts in the order of their start.
func allParts() []string {
	parts := []string{partNATS, partRedis}
	for _, s := range contract.Services() {
		parts = append(parts, string(s))
	}
	return parts
}

// flags are what the command line says.
type flags struct {
	addrs     []string // of the gateways, one each
	opsAddr   string
	data      string
	natsAddr  string
	redisAddr string
	only      []string // the parts to run, in the order of their start
	backup    string   // where to copy data to, instead of running; "": run
}

// parseFlags reads the command line. flag.ErrHelp says that the usage was
// asked for, and written to out.
func parseFlags(args []string, out io.Writer) (flags, error) {
	set := flag.NewFlagSet("standalone", flag.ContinueOnError)
	var f flags
	addrs := set.String("addr", "127.0.0.1:8080", "`addresses` of the gateways, separated by commas, one gateway each; port 0 takes a free one")
	only := set.String("only", strings.Join(allParts(), ","), "the `parts` to run in this process")
	set.StringVar(&f.opsAddr, "ops-addr", "127.0.0.1:9090", "`address` of /healthz, /readyz and /metrics")
	set.StringVar(&f.data, "data", "./data", "`directory` of all that is kept")
	set.StringVar(&f.natsAddr, "nats-addr", "127.0.0.1:4222", "`address` of NATS")
	set.StringVar(&f.redisAddr, "redis-addr", "127.0.0.1:0", "`address` of Redis; port 0 takes a free one")
	set.StringVar(&f.backup, "backup", "", "copy the -data directory, in which standalone may be running, to this new `directory`, and exit")
	if err := run.ParseFlags(set, args, "standalone runs all of Parley, or some parts of it, in one process.", out); err != nil {
		return f, err
	}
	f.addrs = strings.Split(*addrs, ",")
	if err := f.setOnly(strings.Split(*only, ",")); err != nil {
		return f, err
	}
	return f, f.check()
}

// setOnly puts the parts into the order of their start.
func (f *flags) setOnly(names []string) error {
	all := allParts()
	for _, name := range names {
		if !slices.Contains(all, name) {
			return fmt.Errorf("-only: there is no part %q; there are %s", name, strings.Join(all, ", "))
		}
	}
	for _, part := range all {
		if slices.Contains(names, part) {
			f.only = append(f.only, part)
		}
	}
	return nil
}

func (f *flags) check() error {
	var errs []error
	check := func(flag string, addrs ...string) {
		for _, addr := range addrs {
			if err := run.CheckAddress(addr); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", flag, err))
			}
		}
	}
	check("-addr", f.addrs...)
	check("-ops-addr", f.opsAddr)
	check("-nats-addr", f.natsAddr)
	check("-redis-addr", f.redisAddr)
	return errors.Join(errs...)
}

// runs reports whether the part runs in this process.
func (f *flags) runs(part string) bool { return slices.Contains(f.only, part) }
