package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/pkg/contract"
)

// erasure is what was erased, in records.
type erasure struct {
	UserID string                   `json:"user_id"`
	Erased map[contract.Service]int `json:"erased"`
}

func newErase(s *settings) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "erase USER",
		Short: "Erase what is kept about a user",
		Long: `erase disables a user, then replaces what they wrote by tombstones, ends their friendships and
memberships, and forgets who they were. Their id stays, and so do the numbers of messages.

It may be interrupted and called again at any time, by the user's id, and completes what is left.`,
		Args:    exactly(1),
		PreRunE: s.needReason,
		RunE: withAdmin(s, func(c *cobra.Command, a *admin, args []string) error {
			id, err := s.userID(c.Context(), a, args[0])
			if err != nil {
				return err
			}
			if err := confirm(c, yes, fmt.Sprintf("All that is kept about user %s will be erased.", id)); err != nil {
				return err
			}
			done, err := s.erase(c.Context(), a, id)
			if err != nil {
				return fmt.Errorf("user %s is not erased yet, call again: %w", id, err)
			}
			if s.json {
				return printJSON(c.OutOrStdout(), done)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "user %s is erased: %d records of chat, %d of social, %d of auth\n",
				id, done.Erased[contract.Chat], done.Erased[contract.Social], done.Erased[contract.Auth])
			return err
		}),
	}
	addYes(c, &yes)
	return c
}

// erase disables first, so that nothing is added meanwhile, and has auth forget
// last: until then the user can be found again by their account. Chat is asked
// once more when the user is in no room any longer, for messages that a gateway
// let through that had not heard yet.
func (s *settings) erase(ctx context.Context, a *admin, id string) (erasure, error) {
	done := erasure{UserID: id, Erased: map[contract.Service]int{}}
	if _, err := call(ctx, a, contract.DisableUser, contract.AdminUserRequest{Act: s.act(), UserID: id}); err != nil {
		return done, err
	}
	for _, m := range []contract.Method[contract.AdminUserRequest, contract.EraseReply]{contract.EraseChat, contract.EraseSocial, contract.EraseChat, contract.EraseUser} {
		for {
			reply, err := call(ctx, a, m, contract.AdminUserRequest{Act: s.act(), UserID: id})
			if err != nil {
				return done, err
			}
			done.Erased[m.Service] += reply.Erased
			if reply.Done {
				break
			}
		}
	}
	return done, nil
}
