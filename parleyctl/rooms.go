package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/pkg/contract"
)

// pageSize is how much is asked for at once of what has no end.
const pageSize = 200

func newRooms(s *settings) *cobra.Command {
	return group("rooms", "Look rooms up, and disband groups", newRoomsShow(s), newRoomsMembers(s), newRoomsDisband(s))
}

func newRoomsShow(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "show ROOM",
		Short: "Show a room, by id",
		Args:  exactly(1),
		RunE: withAdmin(s, func(c *cobra.Command, a *admin, args []string) error {
			room, err := call(c.Context(), a, contract.ShowRoom, contract.AdminRoomRequest{Act: s.act(), RoomID: args[0]})
			if err != nil {
				return err
			}
			return s.printRoom(c.OutOrStdout(), room)
		}),
	}
}

func newRoomsMembers(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "members ROOM",
		Short: "List a room's members",
		Args:  exactly(1),
		RunE: withAdmin(s, func(c *cobra.Command, a *admin, args []string) error {
			all := contract.MemberPage{Items: []contract.Member{}}
			req := contract.AdminMembersRequest{RoomID: args[0], Limit: pageSize}
			for {
				req.Act = s.act()
				page, err := call(c.Context(), a, contract.ShowMembers, req)
				if err != nil {
					return err
				}
				all.Items = append(all.Items, page.Items...)
				if req.Cursor = page.NextCursor; req.Cursor == "" {
					break
				}
			}
			if s.json {
				return printJSON(c.OutOrStdout(), all)
			}
			var rows [][]string
			for _, m := range all.Items {
				rows = append(rows, []string{m.UserID, string(m.Role), timeText(m.JoinedAt)})
			}
			return printTable(c.OutOrStdout(), []string{"USER", "ROLE", "JOINED"}, rows)
		}),
	}
}

func newRoomsDisband(s *settings) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:     "disband ROOM",
		Short:   "End a group for everyone",
		Args:    exactly(1),
		PreRunE: s.needReason,
		RunE: withAdmin(s, func(c *cobra.Command, a *admin, args []string) error {
			if err := confirm(c, yes, fmt.Sprintf("Nobody will read or write in room %s again.", plain(args[0]))); err != nil {
				return err
			}
			room, err := call(c.Context(), a, contract.ForceDisband, contract.AdminRoomRequest{Act: s.act(), RoomID: args[0]})
			if err != nil {
				return err
			}
			return s.printRoom(c.OutOrStdout(), room)
		}),
	}
	addYes(c, &yes)
	return c
}

func (s *settings) printRoom(out io.Writer, r contract.AdminRoom) error {
	if s.json {
		return printJSON(out, r)
	}
	rows := [][]string{{"id", r.ID}, {"type", string(r.Type)}}
	if r.Name != "" {
		rows = append(rows, []string{"name", r.Name})
	}
	if r.OwnerID != "" {
		rows = append(rows, []string{"owner", r.OwnerID})
	}
	return printTable(out, nil, append(rows,
		[]string{"members", strconv.Itoa(r.MemberCount)}, []string{"created", timeText(r.CreatedAt)},
		[]string{"closed", strconv.FormatBool(r.Closed)}, []string{"revision", strconv.FormatInt(r.Rev, 10)}))
}
