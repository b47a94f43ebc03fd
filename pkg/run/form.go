package run

import (
	"fmt"
	"strings"
)

// checkForm refuses a text that is not of the form that its field's tag names:
// "address", or "begins=" and what it may begin with, separated by commas. An
// empty text says that nothing was set. The text of what may hold a password
// is not repeated.
func checkForm(form, text string) error {
	begins, isBegin := strings.CutPrefix(form, "begins=")
	switch {
	case form == "" || text == "":
		return nil
	case form == "address":
		return CheckAddress(text)
	case !isBegin:
		return fmt.Errorf("its form %q is not known", form)
	}
	all := strings.Split(begins, ",")
	for _, b := range all {
		if strings.HasPrefix(text, b) {
			return nil
		}
	}
	return fmt.Errorf("it must begin with %s", strings.Join(all, " or "))
}
