package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/pkg/contract"
)

func newKeys(s *settings) *cobra.Command {
	return group("keys", "List and rotate the keys of access tokens",
		newKeysCommand(s, "list", "List the keys that gateways know, the newest first", contract.ListKeys),
		newKeysCommand(s, "rotate", "Make a new key; nobody is logged out", contract.RotateKeys))
}

func newKeysCommand(s *settings, use, short string, m contract.Method[contract.KeysRequest, contract.KeysReply]) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  exactly(0),
		RunE: withAdmin(s, func(c *cobra.Command, a *admin, _ []string) error {
			reply, err := call(c.Context(), a, m, contract.KeysRequest{Act: s.act()})
			if err != nil {
				return err
			}
			return s.printKeys(c.OutOrStdout(), reply)
		}),
	}
}

func (s *settings) printKeys(out io.Writer, reply contract.KeysReply) error {
	if s.json {
		return printJSON(out, reply)
	}
	var rows [][]string
	for _, k := range reply.Keys {
		retired := "-"
		if k.RetiredAt != nil {
			retired = timeText(*k.RetiredAt)
		}
		rows = append(rows, []string{k.ID, timeText(k.CreatedAt), timeText(k.SignsFrom), retired})
	}
	return printTable(out, []string{"KEY", "CREATED", "SIGNS FROM", "RETIRED"}, rows)
}
