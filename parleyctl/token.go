package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/pkg/contract"
)

func newToken(s *settings) *cobra.Command {
	var device string
	c := &cobra.Command{
		Use:   "token USER",
		Short: "Open a session for a user and print its access token, for tests",
		Long: `token opens a session for a user and prints its access token; with --json the refresh token, too.

It is for tests. The user finds the session among their devices, and the audit event names who opened it.`,
		Args: exactly(1),
		RunE: withAdmin(s, func(c *cobra.Command, a *admin, args []string) error {
			id, err := s.userID(c.Context(), a, args[0])
			if err != nil {
				return err
			}
			grant, err := call(c.Context(), a, contract.IssueToken, contract.IssueTokenRequest{Act: s.act(), UserID: id, DeviceName: device})
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(c.OutOrStdout(), grant)
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), grant.AccessToken)
			return err
		}),
	}
	c.Flags().StringVar(&device, "device", "parleyctl", "`name` of the session's device")
	return c
}
