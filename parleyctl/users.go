package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/pkg/contract"
)

func newUsers(s *settings) *cobra.Command {
	return group("users", "Look up, disable and enable users",
		newUsersShow(s), newUsersDisable(s), newUsersEnable(s), newUsersEndSessions(s))
}

func newUsersShow(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "show USER",
		Short: "Show a user, by id, account or e-mail, with their sessions",
		Args:  exactly(1),
		RunE: withAdmin(s, func(c *cobra.Command, a *admin, args []string) error {
			u, err := call(c.Context(), a, contract.ShowUser, contract.ShowUserRequest{Act: s.act(), User: args[0]})
			if err != nil {
				return err
			}
			return s.printUser(c.OutOrStdout(), u)
		}),
	}
}

func newUsersDisable(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:     "disable USER",
		Short:   "Close a user's sockets, end their sessions, and let them open no more",
		Args:    exactly(1),
		PreRunE: s.needReason,
		RunE: withAdmin(s, func(c *cobra.Command, a *admin, args []string) error {
			return s.changeUser(c, a, contract.DisableUser, args[0])
		}),
	}
}

func newUsersEnable(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "enable USER",
		Short: "Let a disabled user log in again",
		Args:  exactly(1),
		RunE: withAdmin(s, func(c *cobra.Command, a *admin, args []string) error {
			return s.changeUser(c, a, contract.EnableUser, args[0])
		}),
	}
}

func newUsersEndSessions(s *settings) *cobra.Command {
	var session string
	c := &cobra.Command{
		Use:   "end-sessions USER",
		Short: "End all sessions of a user, or one; they may log in again",
		Args:  exactly(1),
		RunE: withAdmin(s, func(c *cobra.Command, a *admin, args []string) error {
			id, err := s.userID(c.Context(), a, args[0])
			if err != nil {
				return err
			}
			ended, err := call(c.Context(), a, contract.EndSessions, contract.EndSessionsRequest{Act: s.act(), UserID: id, SessionID: session})
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(c.OutOrStdout(), ended)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d ended\n", ended.Ended)
			return err
		}),
	}
	c.Flags().StringVar(&session, "session", "", "`id` of the one to end")
	return c
}

func (s *settings) changeUser(c *cobra.Command, a *admin, m contract.Method[contract.AdminUserRequest, contract.AdminUser], user string) error {
	id, err := s.userID(c.Context(), a, user)
	if err != nil {
		return err
	}
	u, err := call(c.Context(), a, m, contract.AdminUserRequest{Act: s.act(), UserID: id})
	if err != nil {
		return err
	}
	return s.printUser(c.OutOrStdout(), u)
}

// userID is the id of a user who is named by it, or by account or e-mail, which
// auth is asked for. Ids begin with a digit, accounts never do.
func (s *settings) userID(ctx context.Context, a *admin, user string) (string, error) {
	if contract.ValidID(user) && '0' <= user[0] && user[0] <= '9' {
		return user, nil
	}
	u, err := call(ctx, a, contract.ShowUser, contract.ShowUserRequest{Act: s.act(), User: user})
	return u.ID, err
}

func (s *settings) printUser(out io.Writer, u contract.AdminUser) error {
	if s.json {
		return printJSON(out, u)
	}
	rows := [][]string{
		{"id", u.ID}, {"account", u.Account}, {"e-mail", u.Email}, {"nickname", u.Nickname}, {"created", timeText(u.CreatedAt)},
	}
	if u.DisabledAt != nil {
		rows = append(rows, []string{"disabled", timeText(*u.DisabledAt)})
	}
	if u.ErasedAt != nil {
		rows = append(rows, []string{"erased", timeText(*u.ErasedAt)})
	}
	rows = append(rows, []string{"sessions", strconv.Itoa(len(u.Sessions))})
	if err := printTable(out, nil, rows); err != nil || len(u.Sessions) == 0 {
		return err
	}
	fmt.Fprintln(out)
	var sessions [][]string
	for _, one := range u.Sessions {
		sessions = append(sessions, []string{one.ID, timeText(one.CreatedAt), timeText(one.LastUsedAt), one.DeviceName})
	}
	return printTable(out, []string{"SESSION", "OPENED", "LAST USED", "DEVICE"}, sessions)
}
