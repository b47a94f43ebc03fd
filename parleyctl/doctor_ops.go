package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/parley-im/parley/pkg/contract"
)

const (
	opsWait = 5 * time.Second
	// opsBytes is far more than an operations port ever answers.
	opsBytes = 16 << 20
)

// port is what runs behind one operations port.
type port struct {
	url    string
	checks map[string]map[string]string // by service and check: "ok", or why not
	builds map[string]string            // by service
	err    error
}

// gateways asks operations ports, and compares the builds of the gateways
// behind them. Without any it says that nobody has looked.
func gateways(ctx context.Context, urls []string) []finding {
	if len(urls) == 0 {
		f := check(string(contract.Gateway), "readiness", "")
		f.Detail = "not looked at: --ops names their operations ports"
		return []finding{f}
	}
	var all []finding
	builds := map[string]int{}
	for _, url := range urls {
		p := askPort(ctx, strings.TrimSuffix(url, "/"))
		all = append(all, p.findings()...)
		for service, build := range p.builds {
			if isGateway(service) {
				builds[build]++
			}
		}
	}
	f := check(string(contract.Gateway), "replicas", mixed(builds))
	if f.OK && len(builds) == 0 {
		f = check(string(contract.Gateway), "replicas", "none is behind the operations ports")
	}
	for b, n := range builds {
		if f.OK {
			f.Detail = fmt.Sprintf("%d, of %s", n, b)
		}
	}
	return append(all, f)
}

// isGateway tells the services of gateways: several in a process are numbered.
func isGateway(service string) bool { return strings.HasPrefix(service, string(contract.Gateway)) }

// findings are about gateways only: other services were asked for more.
func (p port) findings() []finding {
	var all []finding
	add := func(service, name, problem string) {
		f := check(service, name, problem)
		f.Replica = p.url
		all = append(all, f)
	}
	if p.err != nil {
		add(string(contract.Gateway), "readiness", p.err.Error())
	}
	for _, service := range slices.Sorted(maps.Keys(p.checks)) {
		for _, name := range slices.Sorted(maps.Keys(p.checks[service])) {
			if problem := p.checks[service][name]; isGateway(service) {
				add(service, name, strings.TrimPrefix(problem, "ok"))
			}
		}
	}
	return all
}

func askPort(ctx context.Context, url string) port {
	ctx, cancel := context.WithTimeout(ctx, opsWait)
	defer cancel()
	p := port{url: url, builds: map[string]string{}}
	var ready struct {
		Status string                       `json:"status"`
		Checks map[string]map[string]string `json:"checks"`
	}
	p.err = ask(ctx, url+"/readyz", func(body io.Reader) error {
		if err := json.NewDecoder(body).Decode(&ready); err != nil || ready.Status == "" {
			return errors.New("this is no operations port of Parley")
		}
		return nil
	})
	if p.err != nil {
		return p
	}
	p.checks = ready.Checks
	p.err = ask(ctx, url+"/metrics", p.readBuilds)
	return p
}

// readBuilds takes parley_build_info from metrics.
func (p *port) readBuilds(body io.Reader) error {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(body)
	if err != nil {
		return fmt.Errorf("read metrics: %w", err)
	}
	for _, m := range families["parley_build_info"].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		p.builds[labels["service"]] = build(labels["version"], labels["revision"])
	}
	return nil
}

// ask reads what is answered, whatever the status: /readyz says 503 when
// something is wrong, and what.
func ask(ctx context.Context, url string, read func(io.Reader) error) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usage(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return read(io.LimitReader(response.Body, opsBytes))
}
