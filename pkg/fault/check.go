package fault

import "strings"

// Check gathers what is wrong with a request, field by field, so that a
// client sees all of it at once. The zero value is ready.
type Check struct {
	fields []Field
}

// That notes the detail against the field unless ok.
func (c *Check) That(ok bool, field, detail string) {
	if !ok {
		c.fields = append(c.fields, Field{Field: field, Detail: detail})
	}
}

// Err is nil when every check held, else one InvalidArgument with all fields.
func (c *Check) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	parts := make([]string, len(c.fields))
	for i, f := range c.fields {
		parts[i] = f.Field + ": " + f.Detail
	}
	return &Error{
		Code:   InvalidArgument,
		Detail: strings.Join(parts, "; "),
		Fields: c.fields,
	}
}
