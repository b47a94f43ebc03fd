package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// options are what the command line says. The zero value of conns, members,
// senders and rate is the scenario's own.
type options struct {
	gateways  []string // base URLs
	parley    string   // a binary to start instead
	size      size     // of what is started
	runs      int
	scenarios []scenario
	sweeps    []sweep // instead of scenarios
	duration  time.Duration
	floor     bool
	pids      []int
	json      string // a file
	profile   string // a directory
	mail      string // host:port

	conns, members, senders int
	rate                    float64
	text                    int   // characters
	history                 int64 // messages
}

// parseOptions reads the command line. flag.ErrHelp says that the usage was
// asked for, and written to out.
func parseOptions(args []string, out io.Writer) (options, error) {
	set := flag.NewFlagSet("load", flag.ContinueOnError)
	set.SetOutput(io.Discard) // mistakes are returned
	var o options
	gateways := set.String("gateways", "", "base `URLs` of the gateways, with commas")
	set.StringVar(&o.parley, "parley", "", "instead of -gateways: the `binary` of standalone to start, its parts as processes of their own, for each scenario anew")
	set.IntVar(&o.size.gateways, "gateway-count", 2, "gateways that -parley starts")
	set.IntVar(&o.size.chats, "replicas", 1, "replicas of chat that -parley starts")
	set.IntVar(&o.runs, "runs", 1, "how often everything is measured, in turns; the table and -json then have medians, too")
	names := set.String("scenario", "all", "`names` with commas, of "+strings.Join(scenarioNames(), ", ")+"; or all")
	sweeps := set.String("sweep", "", "instead of scenarios, for plots: `names` with commas, of "+strings.Join(sweepNames(), ", ")+"; or all")
	set.DurationVar(&o.duration, "duration", 20*time.Second, "how long is measured, after a warm-up")
	set.BoolVar(&o.floor, "floor", false, "measure before and after what the same work costs without Parley")
	pids := set.String("pid", "", "process `ids` whose CPU and memory are measured, with commas; of a started Parley all")
	set.StringVar(&o.json, "json", "", "`file` to write the results to")
	set.StringVar(&o.profile, "profile", "", "`directory` for CPU and allocation profiles of each part that -parley starts")
	set.StringVar(&o.mail, "mail", "127.0.0.1:2525", "`address` to listen on for the mail with codes: the services' SMTP_URL is smtp://ADDRESS?tls=none")
	set.IntVar(&o.conns, "conns", 0, "connections, each of a user of its own; 0: as the scenario has it")
	set.IntVar(&o.members, "members", 0, "members of a group; 0: as the scenario has it")
	set.IntVar(&o.senders, "senders", 0, "how many of them send; 0: as the scenario has it")
	set.Float64Var(&o.rate, "rate", 0, "sends a second of all together, an open loop; 0: as the scenario has it, mostly a closed loop")
	set.IntVar(&o.text, "text", 128, "characters of a message")
	set.Int64Var(&o.history, "history", 0, "`messages` that are sent before it is measured, where any are")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(out, "load measures how fast Parley is. Its scenarios:")
			for _, s := range scenarios() {
				fmt.Fprintf(out, "  %-8s %s\n", s.name, s.about)
			}
			set.SetOutput(out)
			set.PrintDefaults()
		}
		return o, err
	}
	if set.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", set.Arg(0))
	}
	return o, errors.Join(o.setLists(*gateways, *names, *sweeps, *pids), o.check())
}

func (o *options) setLists(gateways, names, sweeps, pids string) error {
	var err error
	if o.sweeps, err = pickSweeps(sweeps); err != nil {
		return err
	}
	if o.scenarios, err = pick(names); err != nil {
		return err
	}
	for gateway := range strings.SplitSeq(gateways, ",") {
		if gateway == "" {
			continue
		}
		u, err := url.Parse(gateway)
		if err != nil || u.Scheme != "http" || u.Host == "" {
			return fmt.Errorf("-gateways: %q is not http://HOST:PORT", gateway)
		}
		o.gateways = append(o.gateways, strings.TrimSuffix(gateway, "/"))
	}
	for field := range strings.SplitSeq(pids, ",") {
		if field == "" {
			continue
		}
		pid, err := strconv.Atoi(field)
		if err != nil {
			return fmt.Errorf("-pid: %q is not a number", field)
		}
		o.pids = append(o.pids, pid)
	}
	return nil
}

func (o *options) check() error {
	switch {
	case (len(o.gateways) == 0) == (o.parley == ""):
		return errors.New("either -gateways or -parley says what to measure")
	case o.parley != "" && len(o.pids) > 0:
		return errors.New("-pid: of what -parley starts, all is measured")
	case o.parley == "" && o.profile != "":
		return errors.New("-profile: only what -parley starts is profiled")
	case len(o.sweeps) > 0 && (o.parley == "" || o.json == "" || o.floor || o.profile != "" || o.runs > 1):
		return errors.New("-sweep needs -parley and -json, and goes without -floor, -profile and -runs")
	case o.size.gateways < 1 || o.size.chats < 1:
		return errors.New("-gateway-count and -replicas must be 1 or more")
	case o.runs < 1:
		return errors.New("-runs must be 1 or more")
	case o.duration <= 0:
		return errors.New("-duration must be more than 0")
	case o.text < 1 || o.text > 4000:
		return errors.New("-text must be 1 to 4000")
	case o.conns < 0 || o.members < 0 || o.senders < 0 || o.rate < 0 || o.history < 0:
		return errors.New("-conns, -members, -senders, -rate and -history must not be negative")
	}
	return nil
}

// fill puts the options in where a scenario has its own values.
func (o *options) fill(s scenario) scenario {
	if o.conns > 0 {
		s.conns = o.conns
	}
	if o.members > 0 {
		s.members = o.members
	}
	if o.senders > 0 {
		s.senders = o.senders
	}
	if o.rate > 0 {
		s.rate = o.rate
	}
	return s
}
