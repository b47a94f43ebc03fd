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
	if len(o.sweeps) > 0 {
		return o.sweep(ctx, mail, p)
	}
	all := reports{Machine: thisMachine()}
	err = o.measure(ctx, &all, mail, out, p)
	if o.runs > 1 {
		all.Medians = summarize(all.Scenarios)
	}
	for _, s := range all.Medians {
		s.print(out)
	}
	if o.json != "" && len(all.Scenarios) > 0 { // what there is, also after an error
		err = errors.Join(err, writeJSON(o.json, all))
	}
	if err == nil && (all.Lost > 0 || all.Doubled > 0) {
		err = fmt.Errorf("%d messages lost, %d doubled", all.Lost, all.Doubled)
	}
	return err
}

// measure runs all scenarios in turns, so that what changes on the machine
// meanwhile changes all of them.
func (o *options) measure(ctx context.Context, all *reports, mail *embedded.SMTP, out io.Writer, p *progress) error {
	for run := range o.runs {
		for _, sc := range o.scenarios {
			rep, err := o.one(ctx, o.fill(sc), mail, p)
			p.clear()
			if err != nil {
				return fmt.Errorf("%s: %w", sc.name, err)
			}
			if o.runs > 1 {
				fmt.Fprintf(out, "\nrun %d of %d", run+1, o.runs)
			}
			rep.print(out)
			all.add(rep)
		}
	}
	return nil
}

// one measures one scenario, between its floors if they are asked for.
func (o *options) one(ctx context.Context, sc scenario, mail *embedded.SMTP, p *progress) (*report, error) {
	s, stop, err := o.stage(ctx, sc, o.size, mail, p)
	if err != nil {
		return nil, err
	}
	defer stop()
	if !o.floor || sc.floor == nil {
		return s.measure(ctx)
	}
	return s.between(ctx)
}

// stage makes ready what the scenario is measured on, until stop.
func (o *options) stage(ctx context.Context, sc scenario, n size, mail *embedded.SMTP, p *progress) (s *stage, stop func(), err error) {
	if err := checkFiles(max(sc.conns, sc.members)); err != nil {
		return nil, nil, err
	}
	s = &stage{scenario: sc, text: o.text, duration: o.duration, history: o.history, fs: "/proc", tell: p.tell}
	for _, pid := range o.pids {
		name, err := s.fs.name(pid)
		if err != nil {
			return nil, nil, fmt.Errorf("-pid: %w", err)
		}
		s.watched = append(s.watched, process{pid: pid, name: name})
	}
	if o.parley == "" {
		s.town = newTown(o.gateways, mail, p.tell)
		return s, func() {}, nil
	}
	started, err := startParley(ctx, o.parley, mail.URL(), n)
	if err != nil {
		return nil, nil, err
	}
	s.watched, s.replicas = started.processes(), n.chats
	if o.profile != "" {
		s.profiles = profiles{dir: o.profile, ops: started.ops}
	}
	s.town = newTown(started.urls, mail, p.tell)
	return s, started.stop, nil
}
