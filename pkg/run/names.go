package run

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
)

// CheckNames refuses variables that begin with the prefix and that no field of
// the structs reads: one that is misspelt would leave a default in force. The
// error names each, and the one that was probably meant. Variables that
// Kubernetes sets for its services are passed over.
func CheckNames(prefix string, cfgs ...any) error {
	return checkNames(prefix, false, cfgs)
}

// CheckNearNames is CheckNames for a prefix that programs share: it refuses
// only a variable that is nearly named like a setting.
func CheckNearNames(prefix string, cfgs ...any) error {
	return checkNames(prefix, true, cfgs)
}

func checkNames(prefix string, onlyNear bool, cfgs []any) error {
	var known []string
	for _, cfg := range cfgs {
		for _, v := range Variables(prefix, cfg) {
			known = append(known, v.Name)
		}
	}
	var errs []error
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		capitals := strings.ToUpper(name)
		switch {
		case !strings.HasPrefix(capitals, prefix+"_"), slices.Contains(known, name), isServiceLink(name, value):
		case slices.Contains(known, capitals):
			errs = append(errs, fmt.Errorf("%s is not read: its name is %s", name, capitals))
		case name == capitals:
			if near, err := notKnown(prefix, name, known); near || !onlyNear {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// notKnown also reports whether a setting is named nearly so.
func notKnown(prefix, name string, known []string) (near bool, err error) {
	own := make([]string, len(known)) // the prefix is right, and would count as likeness
	for i, k := range known {
		own[i] = strings.TrimPrefix(k, prefix+"_")
	}
	if like := Nearest(strings.TrimPrefix(name, prefix+"_"), own); like != "" {
		return true, fmt.Errorf("there is no setting %s; did you mean %s_%s?", name, prefix, like)
	}
	return false, fmt.Errorf("there is no setting %s; docs/configuration.md lists all, unset it if it is another program's", name)
}

// The variables that Kubernetes and Docker set for a service called NAME:
// NAME_SERVICE_HOST, NAME_SERVICE_PORT, one more for each named port,
// NAME_PORT, and four for each port, such as NAME_PORT_8080_TCP_ADDR. See
// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
var (
	linkName = regexp.MustCompile(`_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)
	linkURL  = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

func isServiceLink(name, value string) bool {
	return linkName.MatchString(name) || strings.HasSuffix(name, "_PORT") && linkURL.MatchString(value)
}

// WarnLookalikes logs variables that are set and that nothing here reads, but
// whose names are nearly those of settings that all services share. Nothing is
// refused: a name without a service's prefix may be another program's.
func WarnLookalikes(log *slog.Logger, cfgs ...any) {
	var shared []string
	for _, cfg := range cfgs {
		for _, v := range Variables("", cfg) {
			if v.Shared != "" {
				shared = append(shared, v.Shared)
			}
		}
	}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if slices.Contains(shared, name) {
			continue
		}
		like := func(s string) bool { return edits(strings.ToUpper(name), s) <= 1 }
		if i := slices.IndexFunc(shared, like); i >= 0 {
			log.Warn("a variable is set that is not read; its name is nearly that of a setting", "set", name, "setting", shared[i])
		}
	}
}
