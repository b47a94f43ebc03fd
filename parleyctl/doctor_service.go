package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

// maxSkew is how far a replica's clock may be off, beyond the round trip.
const maxSkew = time.Second

// service looks at all replicas of a service.
func (a *admin) service(ctx context.Context, service contract.Service) []finding {
	replicas, err := rpc.Replicas(ctx, a.nc, service, 0)
	switch {
	case err != nil:
		return []finding{check(string(service), "replicas", err.Error())}
	case len(replicas) == 0:
		return []finding{check(string(service), "replicas", "none answers")}
	}
	diagnoses := make([]diagnosed, len(replicas))
	var asked sync.WaitGroup
	for i, replica := range replicas {
		asked.Go(func() { diagnoses[i] = a.diagnose(ctx, service, replica) }) // joined below, ended by --timeout
	}
	asked.Wait()
	all := []finding{alike(service, diagnoses)}
	for _, d := range diagnoses {
		all = append(all, d.findings()...)
	}
	return all
}

// diagnosed is what a replica answered, and when.
type diagnosed struct {
	contract.Diagnosis
	asked, answered time.Time
	err             error
}

func (a *admin) diagnose(ctx context.Context, service contract.Service, replica string) diagnosed {
	d := diagnosed{asked: time.Now()}
	m := map[contract.Service]contract.Method[contract.Empty, contract.Diagnosis]{
		contract.Auth: contract.DiagnoseAuth, contract.Social: contract.DiagnoseSocial, contract.Chat: contract.DiagnoseChat,
	}[service]
	d.Diagnosis, d.err = call(ctx, a, m, contract.Empty{}, rpc.To(replica))
	d.answered = time.Now()
	if d.err == nil && d.Replica != replica { // another has answered in its place
		d.err = fmt.Errorf("it does not answer, or has just left")
	}
	d.Service, d.Replica = service, replica
	return d
}

func (d diagnosed) findings() []finding {
	of := func(name, problem, detail string) finding {
		f := check(string(d.Service), name, problem)
		f.Replica = d.Replica
		if problem == "" {
			f.Detail = detail
		}
		return f
	}
	if d.err != nil {
		return []finding{of("diagnosis", told(d.err).Detail, "")}
	}
	all := []finding{of("version", "", build(d.Version, d.Revision)), of("clock", d.skew(), "")}
	for _, c := range d.Checks {
		all = append(all, finding{Part: string(d.Service), Replica: d.Replica, Check: c})
	}
	return all
}

// skew says how the replica's clock is off by more than the round trip explains.
func (d diagnosed) skew() string {
	ahead, behind := d.Now.Sub(d.answered), d.asked.Sub(d.Now.Time)
	switch {
	case ahead > maxSkew:
		return fmt.Sprintf("%v ahead of the clock here", ahead.Round(100*time.Millisecond))
	case behind > maxSkew:
		return fmt.Sprintf("%v behind the clock here", behind.Round(100*time.Millisecond))
	default:
		return ""
	}
}

// alike finds whether the replicas of a service are of one build.
func alike(service contract.Service, diagnoses []diagnosed) finding {
	builds := map[string]int{}
	answered := 0
	for _, d := range diagnoses {
		if d.err == nil {
			builds[build(d.Version, d.Revision)]++
			answered++
		}
	}
	f := check(string(service), "replicas", mixed(builds))
	if f.OK {
		f.Detail = fmt.Sprintf("%d, of one version", answered)
	}
	return f
}

// mixed names the builds, with how many are of each, when there are several.
func mixed(builds map[string]int) string {
	if len(builds) < 2 {
		return ""
	}
	var list []string
	for _, b := range slices.Sorted(maps.Keys(builds)) {
		list = append(list, fmt.Sprintf("%d of %s", builds[b], b))
	}
	return "of several versions: " + strings.Join(list, ", ")
}

// build names a version, with the start of its commit.
func build(version, revision string) string {
	if revision == "" || revision == "unknown" {
		return version
	}
	return version + " (" + revision[:min(12, len(revision))] + ")"
}
