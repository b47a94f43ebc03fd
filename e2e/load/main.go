package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/mattn/go-isatty"

	lifetime "github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/standalone/embedded"
)

func main() {
	lifetime.Main("load", func(ctx context.Context) error {
		if len(os.Args) > 1 && os.Args[1] == childCommand {
			return serveChild(ctx, os.Args[2:], os.Stdin, os.Stdout)
		}
		var look io.Writer
		if isatty.IsTerminal(os.Stderr.Fd()) {
			look = os.Stderr
		}
		return load(ctx, os.Args[1:], os.Stdout, &progress{out: look})
	})
}

// load does what the command line asks for, and writes the results to out. It
// is an error when a message was lost or doubled.
func load(ctx context.Context, args []string, out io.Writer, p *progress) error {
	o, err := parseOptions(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	// Each code is waited for; the others' may all come before it.
	mail, err := embedded.StartSMTP(ctx, embedded.SMTPConfig{Addr: o.mail})
	if err != nil {
		return fmt.Errorf("-mail: %w", err)
	}
	defer func() { _ = mail.Stop() }()
	var all reports
	for _, sc := range o.scenarios {
		rep, err := o.one(ctx, o.fill(sc), mail, p)
		p.clear()
		if err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
		rep.print(out)
		all.add(rep)
	}
	if o.json != "" {
		if err := all.write(o.json); err != nil {
			return err
		}
	}
	if all.Lost > 0 || all.Doubled > 0 {
		return fmt.Errorf("%d messages lost, %d doubled", all.Lost, all.Doubled)
	}
	return nil
}

func (all *reports) add(rep *report) {
	all.Lost += rep.Lost
	all.Doubled += rep.Doubled
	all.Scenarios = append(all.Scenarios, rep)
}

// one measures one scenario, between its floors if they are asked for.
func (o *options) one(ctx context.Context, sc scenario, mail *embedded.SMTP, p *progress) (*report, error) {
	s := &stage{scenario: sc, text: o.text, duration: o.duration, history: o.history, fs: "/proc", tell: p.tell}
	urls := o.gateways
	if o.parley != "" {
		started, err := startParley(ctx, o.parley, mail.URL())
		if err != nil {
			return nil, err
		}
		defer started.stop()
		urls, s.watched = started.urls, started.processes()
		if o.profile != "" {
			s.profiles = profiles{dir: o.profile, ops: started.ops}
		}
	}
	for _, pid := range o.pids {
		name, err := s.fs.name(pid)
		if err != nil {
			return nil, fmt.Errorf("-pid: %w", err)
		}
		s.watched = append(s.watched, process{pid: pid, name: name})
	}
	s.town = newTown(urls, mail, p.tell)
	if !o.floor || sc.floor == nil {
		return s.measure(ctx)
	}
	return s.between(ctx)
}

// between measures the floor before and after the scenario.
func (s *stage) between(ctx context.Context) (*report, error) {
	before, err := s.floor(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	rep, err := s.measure(ctx)
	if err != nil {
		return nil, err
	}
	after, err := s.floor(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	rep.Floors = []*floor{before, after}
	rep.relate()
	return rep, nil
}
