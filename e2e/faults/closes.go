package faults

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"github.com/parley-im/parley/e2e/system"
)

// closesLine is how a gateway tells how many connections ended so.
var closesLine = regexp.MustCompile(`^parley_gateway_closes_total\{code="(\w+)",reason="([^"]+)"[^}]*\} (\d+)`)

// Closes is how connections ended, "<code> <reason>", at the gateways as they
// were last started: what was counted before a crash is gone with it.
func Closes(ctx context.Context, gateways []*system.Process) (map[string]int, error) {
	closes := map[string]int{}
	for _, p := range gateways {
		if err := addCloses(ctx, closes, p.Ops+"/metrics"); err != nil {
			return nil, fmt.Errorf("read metrics of %s: %w", p.Name, err)
		}
	}
	return closes, nil
}

func addCloses(ctx context.Context, closes map[string]int, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if m := closesLine.FindStringSubmatch(lines.Text()); m != nil {
			n, err := strconv.Atoi(m[3])
			if err != nil {
				return err
			}
			if n > 0 {
				closes[m[1]+" "+m[2]] += n
			}
		}
	}
	return lines.Err()
}
