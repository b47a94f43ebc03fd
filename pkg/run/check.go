package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

const (
	// askWait bounds -check: readiness itself takes a second at most.
	askWait = 3 * time.Second
	// answerBytes is far more than any answer of /readyz.
	answerBytes = 64 << 10
)

// checkSelf asks the service of this name that runs on this machine, or in
// this container, whether it is ready. It is for health checks where there is
// no shell and no curl, and reads no other setting than where to ask.
func checkSelf(ctx context.Context, name contract.Service, out io.Writer) error {
	var cfg telemetry.Config
	if err := Config(prefix(name), &cfg); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	return askReady(ctx, cfg.OpsAddr, out)
}

// askReady is nil when the operations port at addr says that all is ready,
// else an error that names each check that does not hold. What is degraded, it
// writes to out.
func askReady(ctx context.Context, addr string, out io.Writer) error {
	host, err := dialled(addr)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("ask the operations port: %w", err)
	}
	// Not the default transport: it would ask a proxy of the environment.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the operations port: %w", err)
	}
	defer response.Body.Close()
	var answer struct {
		Status string                       `json:"status"`
		Checks map[string]map[string]string `json:"checks"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, answerBytes)).Decode(&answer); err != nil || answer.Status == "" {
		return fmt.Errorf("the operations port answered %d, not in the way of /readyz", response.StatusCode)
	}
	failing := strings.Join(notOK(answer.Checks), "; ")
	if response.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSuffix(answer.Status+": "+failing, ": "))
	}
	_, err = fmt.Fprintln(out, strings.TrimSuffix(answer.Status+"; "+failing, "; "))
	return err
}

// notOK lists what is said of each check that does not hold, in a fixed order.
func notOK(checks map[string]map[string]string) []string {
	var list []string
	for _, service := range slices.Sorted(maps.Keys(checks)) {
		for _, check := range slices.Sorted(maps.Keys(checks[service])) {
			if state := checks[service][check]; state != "ok" {
				list = append(list, service+" "+check+": "+state)
			}
		}
	}
	return list
}

// dialled is where to ask a port that is listened on at addr: one that takes
// connections on every address of the machine is asked on loopback.
func dialled(addr string) (string, error) {
	if err := CheckAddress(addr); err != nil {
		return "", fmt.Errorf("OPS_ADDR: %w", err)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("OPS_ADDR: %w", err)
	}
	switch ip, err := netip.ParseAddr(host); {
	case host == "" || err == nil && ip == netip.IPv4Unspecified():
		host = "127.0.0.1"
	case err == nil && ip == netip.IPv6Unspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port), nil
}
