// Command secrets makes the secrets of an installation, keeps them in a file
// of mode 0600, renews them, and prints them as Secrets of Kubernetes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/parley-im/parley/deploy/secrets/credentials"
)

const usage = `usage: secrets env [-out FILE] [-rotate nats|tls]
       secrets manifests [-out FILE] [-rotate nats|tls] [-namespace NAME] [-mongo URL] [-redis URL] [-smtp URL]

Both make what FILE lacks and change nothing that is there, unless told to rotate.
env writes the file of Docker Compose, .env. manifests keeps its secrets in
.env.kubernetes and prints Secrets of Kubernetes.
`

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "secrets:", err)
		os.Exit(1)
	}
}

// settings are what the flags say.
type settings struct {
	out, rotate, hosts string
	cluster            credentials.Cluster
}

func run(args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 || args[0] != "env" && args[0] != "manifests" {
		fmt.Fprint(stderr, usage)
		return errors.New("say env or manifests")
	}
	manifests := args[0] == "manifests"
	s, err := parse(args[0], args[1:], stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	set, err := s.keep(time.Now(), manifests, stderr)
	if err != nil || !manifests {
		return err
	}
	if s.cluster.SMTP == "" {
		fmt.Fprintln(stderr, "SMTP_URL is empty, no codes can be mailed: -smtp sets it")
	}
	text, err := credentials.Manifests(set, s.cluster)
	if err != nil {
		return err
	}
	_, err = stdout.Write(text)
	return err
}

func parse(command string, args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("secrets "+command, flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := ".env"
	if command == "manifests" {
		out = ".env.kubernetes"
		flags.StringVar(&s.cluster.Namespace, "namespace", "", "namespace of the Secrets, and in the names of certificates")
		flags.StringVar(&s.cluster.Mongo, "mongo", "mongodb://parley-mongo:27017/?replicaSet=rs0", "MongoDB, without user and database")
		flags.StringVar(&s.cluster.Redis, "redis", "redis://parley-redis:6379/0", "Redis, without user")
		flags.StringVar(&s.cluster.SMTP, "smtp", "", "mail server, smtp://user:password@host:587")
	}
	flags.StringVar(&s.out, "out", out, "file that keeps the secrets")
	flags.StringVar(&s.rotate, "rotate", "", "nats: new NKeys, beside which the last ones count; tls: new certificates of the same authority")
	flags.StringVar(&s.hosts, "hosts", "", "more names for the servers' certificate, separated by commas")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("what is %q?", flags.Arg(0))
	}
	if s.rotate != "" && s.rotate != "nats" && s.rotate != "tls" {
		return s, fmt.Errorf("-rotate must be nats or tls, not %q", s.rotate)
	}
	return s, nil
}

// keep brings the file up to date, tells the names of what it changed, and
// returns what the file has now.
func (s settings) keep(now time.Time, kubernetes bool, stderr io.Writer) (credentials.Set, error) {
	file, err := credentials.ReadFile(s.out)
	if err != nil {
		return nil, err
	}
	hosts := credentials.ComposeHosts()
	if kubernetes {
		hosts = credentials.ClusterHosts(s.cluster.Namespace)
	}
	if s.hosts != "" {
		hosts = append(hosts, strings.Split(s.hosts, ",")...)
	}
	was := map[string]string{}
	for name, value := range file.Set {
		was[name] = value
	}
	switch s.rotate { // of what is there; what is missing is made below
	case "nats":
		err = file.Set.RotateNKeys()
	case "tls":
		err = file.Set.RotateCertificates(now, hosts)
	}
	if err != nil {
		return nil, fmt.Errorf("rotate the secrets of %s: %w", s.out, err)
	}
	if err := file.Set.Fill(now, hosts); err != nil {
		return nil, fmt.Errorf("complete the secrets of %s: %w", s.out, err)
	}
	if err := file.Write(s.out); err != nil {
		return nil, err
	}
	tell(stderr, s.out, was, file.Set)
	return file.Set, nil
}

func tell(stderr io.Writer, path string, was map[string]string, is credentials.Set) {
	made, changed := 0, 0
	for _, name := range credentials.Names() {
		switch before := was[name]; {
		case before == "":
			made++
		case before != is[name]:
			changed++
		}
	}
	fmt.Fprintf(stderr, "%s: %d secrets made, %d changed, %d as they were\n", path, made, changed, len(credentials.Names())-made-changed)
}
