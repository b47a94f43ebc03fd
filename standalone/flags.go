package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
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
	set.SetOutput(io.Discard) // mistakes are returned
	var f flags
	addrs := set.String("addr", "127.0.0.1:8080", "`addresses` of the gateways, separated by commas, one gateway each")
	only := set.String("only", strings.Join(allParts(), ","), "the `parts` to run in this process")
	set.StringVar(&f.opsAddr, "ops-addr", "127.0.0.1:9090", "`address` of /healthz, /readyz and /metrics")
	set.StringVar(&f.data, "data", "./data", "`directory` of all that is kept")
	set.StringVar(&f.natsAddr, "nats-addr", "127.0.0.1:4222", "`address` of NATS")
	set.StringVar(&f.redisAddr, "redis-addr", "127.0.0.1:0", "`address` of Redis; port 0 takes a free one")
	set.StringVar(&f.backup, "backup", "", "copy the -data directory, in which standalone may be running, to this new `directory`, and exit")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(out, "standalone runs all of Parley, or some parts of it, in one process.")
			set.SetOutput(out)
			set.PrintDefaults()
		}
		return f, err
	}
	if set.NArg() > 0 {
		return f, fmt.Errorf("unknown argument %q", set.Arg(0))
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
			return fmt.Errorf("-only: unknown part %q, there are %s", name, strings.Join(all, ", "))
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
	for _, addr := range append([]string{f.opsAddr, f.natsAddr, f.redisAddr}, f.addrs...) {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("bad address: %w", err)
		}
	}
	return nil
}

// runs reports whether the part runs in this process.
func (f *flags) runs(part string) bool { return slices.Contains(f.only, part) }
