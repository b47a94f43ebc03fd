package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// addYes adds the flag by which confirm asks nothing.
func addYes(c *cobra.Command, yes *bool) {
	c.Flags().BoolVar(yes, "yes", false, "don't ask first")
}

// confirm asks before something that can't be undone.
func confirm(c *cobra.Command, yes bool, what string) error {
	if yes {
		return nil
	}
	fmt.Fprintf(c.ErrOrStderr(), "%s This can't be undone. Type yes to go on: ", what)
	line, err := bufio.NewReader(c.InOrStdin()).ReadString('\n')
	if strings.TrimSpace(line) == "yes" {
		return nil
	}
	if err != nil { // nobody is there to answer
		fmt.Fprintln(c.ErrOrStderr())
	}
	return usage(errors.New("nothing was done: it was not confirmed (--yes does without asking)"))
}
