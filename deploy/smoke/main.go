// Command smoke shows that an installation works: a message goes from one
// gateway to another. It prints a line for each step, and exits with status 1
// at the first that fails.
//
//	SMOKE_ACCOUNTS=ann:PASSWORD,bob:PASSWORD smoke -gateways http://127.0.0.1:8080,http://127.0.0.1:8081
//	smoke -resolve parley-gateway-pods:8080 -mailpit http://parley-mailpit:8025
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
)

func main() {
	run.Main("smoke", func(ctx context.Context) error {
		return smoke(ctx, os.Args[1:], os.Getenv("SMOKE_ACCOUNTS"), os.Stdout)
	})
}

// options are what the flags say.
type options struct {
	gateways string // base URLs with commas
	resolve  string // host:port; every address of the host is a gateway
	mailpit  string // base URL; empty: accounts are given
	timeout  time.Duration
	version  bool
}

func parse(args []string, out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.gateways, "gateways", "", "base URLs of gateways, separated by commas")
	flags.StringVar(&o.resolve, "resolve", "", "host:port of which every address is a gateway, such as a headless Service")
	flags.StringVar(&o.mailpit, "mailpit", "", "base URL of Mailpit, where the codes of two fresh accounts are read; else SMOKE_ACCOUNTS has name:password,name:password")
	flags.DurationVar(&o.timeout, "timeout", 2*time.Minute, "time for everything")
	flags.BoolVar(&o.version, "version", false, "print the version and exit")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("what is %q?", flags.Arg(0))
	}
	if !o.version && (o.gateways == "") == (o.resolve == "") {
		return o, errors.New("say where the gateways are, by -gateways or by -resolve")
	}
	return o, nil
}

// smoke is the whole program.
func smoke(ctx context.Context, args []string, accounts string, out io.Writer) error {
	o, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.version {
		_, err := fmt.Fprintf(out, "parley smoke %s (%s)\n", run.Version, telemetry.Revision())
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	t := &trial{out: out, begun: time.Now()}
	if o.gateways != "" {
		t.gateways = strings.Split(o.gateways, ",")
	} else if err := t.resolve(ctx, o.resolve); err != nil {
		return err
	}
	if o.mailpit != "" {
		err = t.register(ctx, mailpit{base: strings.TrimRight(o.mailpit, "/")})
	} else {
		err = t.use(accounts)
	}
	if err != nil {
		return err
	}
	return t.run(ctx)
}
