package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/pkg/contract"
)

func newMessages(s *settings) *cobra.Command {
	return group("messages", "Remove messages", newMessagesRemove(s))
}

func newMessagesRemove(s *settings) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:     "remove ROOM SEQ",
		Short:   "Replace a message by a tombstone, whoever sent it and when",
		Args:    exactly(2),
		PreRunE: s.needReason,
		RunE: withAdmin(s, func(c *cobra.Command, a *admin, args []string) error {
			seq, err := strconv.ParseInt(args[1], 10, 64)
			if err != nil || seq < 1 {
				return usage(errors.New("SEQ is the message's number in its room, from 1"))
			}
			if err := confirm(c, yes, fmt.Sprintf("Message %d of room %s will be gone.", seq, plain(args[0]))); err != nil {
				return err
			}
			removed, err := call(c.Context(), a, contract.ForceRemove, contract.AdminMessageRequest{Act: s.act(), RoomID: args[0], Seq: seq})
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(c.OutOrStdout(), removed)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "message %d of room %s was removed at %s, by %s\n", removed.Seq, removed.RoomID, timeText(removed.RemovedAt), removed.RemovedBy)
			return err
		}),
	}
	addYes(c, &yes)
	return c
}
