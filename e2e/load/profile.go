package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// profiles are what /debug/pprof of a started Parley's parts shows of the
// measured time, one file a part and kind, for go tool pprof.
type profiles struct {
	dir string // empty: none are wanted
	ops map[string]string
}

// take has every part profile its CPU for as long as is measured, and then
// tell what it has allocated since its start. The files are there when what
// it returns has returned.
func (p profiles) take(ctx context.Context, scenario string, length time.Duration) (wait func() error) {
	var all sync.WaitGroup
	failures := make(chan error, 2*len(p.ops))
	for part, addr := range p.ops {
		all.Go(func() { // ends with the profile, or with ctx
			file := filepath.Join(p.dir, scenario+"-"+part)
			failures <- fetch(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", addr, max(1, int(length.Seconds()))), file+".cpu")
			failures <- fetch(ctx, "http://"+addr+"/debug/pprof/allocs", file+".allocs")
		})
	}
	return func() error {
		all.Wait()
		close(failures)
		var errs []error
		for err := range failures {
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}
}

// fetch writes what a URL answers to a file.
func fetch(ctx context.Context, url, file string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("profile: %s answers %s", url, resp.Status)
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return os.WriteFile(file, data, 0o600)
}
