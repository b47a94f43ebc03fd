package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/pkg/contract"
)

// exported is a line of an export.
type exported struct {
	Service contract.Service `json:"service"`
	Kind    string           `json:"kind"`
	Data    json.RawMessage  `json:"data"`
}

func newExport(s *settings) *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "export USER",
		Short: "Export what is kept about a user, as JSON lines",
		Long: `export writes what is kept about a user: one JSON object a line, {"service","kind","data"}.
The last line is of kind "end" and counts those before it: without it an export is not whole.`,
		Args:    exactly(1),
		PreRunE: s.needReason,
		RunE: withAdmin(s, func(c *cobra.Command, a *admin, args []string) error {
			id, err := s.userID(c.Context(), a, args[0])
			if err != nil {
				return err
			}
			if path == "" {
				_, err = s.export(c.Context(), a, id, c.OutOrStdout())
				return err
			}
			n, err := s.exportTo(c.Context(), a, id, path)
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(c.OutOrStdout(), map[string]any{"user_id": id, "file": path, "records": n})
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d records about user %s are in %s\n", n, id, path)
			return err
		}),
	}
	c.Flags().StringVar(&path, "out", "", "`file` to write, in place of printing; of mode 0600, and not there yet")
	return c
}

// exportTo puts the file in place only when it is whole.
func (s *settings) exportTo(ctx context.Context, a *admin, id, path string) (int, error) {
	if _, err := os.Lstat(path); err == nil {
		return 0, usage(fmt.Errorf("%s is there already", path))
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return 0, fmt.Errorf("write export: %w", err)
	}
	defer os.Remove(file.Name()) // nothing to remove once renamed
	n, err := s.export(ctx, a, id, file)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return n, err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return n, fmt.Errorf("write export: %w", err)
	}
	return n, nil
}

// export writes what each service keeps, and returns how many records that is.
func (s *settings) export(ctx context.Context, a *admin, id string, to io.Writer) (int, error) {
	n := 0
	out := bufio.NewWriter(to)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, m := range []contract.Method[contract.ExportRequest, contract.ExportPage]{contract.ExportUser, contract.ExportSocial, contract.ExportChat} {
		req := contract.ExportRequest{UserID: id}
		for {
			req.Act = s.act()
			page, err := call(ctx, a, m, req)
			if err != nil {
				return n, fmt.Errorf("export of %s: %w", m.Service, err)
			}
			for _, item := range page.Items {
				if err := lines.Encode(exported{Service: m.Service, Kind: item.Kind, Data: item.Data}); err != nil {
					return n, fmt.Errorf("write export: %w", err)
				}
				n++
			}
			if req.Cursor = page.NextCursor; req.Cursor == "" {
				break
			}
		}
	}
	end, err := json.Marshal(struct {
		UserID  string        `json:"user_id"`
		At      contract.Time `json:"at"`
		Records int           `json:"records"`
	}{id, contract.NewTime(time.Now()), n})
	if err == nil {
		err = lines.Encode(exported{Service: contract.Admin, Kind: "end", Data: end})
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return n, fmt.Errorf("write export: %w", err)
	}
	return n, nil
}
