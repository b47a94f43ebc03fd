package schema_test

import (
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/schema"
)

func TestVersion_Admit(t *testing.T) {
	for name, c := range map[string]struct {
		version schema.Version
		known   int
		want    string
	}{
		"a new database":                {schema.Version{}, 3, ""},
		"its own":                       {schema.Version{Steps: 3}, 3, ""},
		"an older database":             {schema.Version{Steps: 2, Floor: 2}, 3, ""},
		"a newer that keeps to the old": {schema.Version{Steps: 5, Floor: 3}, 3, ""},
		"a newer that does not":         {schema.Version{Steps: 5, Floor: 4}, 3, "of schema version 5, which programs that know version 4 or later can use; this one knows 3"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.version.Admit(c.known)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestVersion_After(t *testing.T) {
	v := schema.Version{}.After(1, false).After(2, true).After(3, false)
	if v != (schema.Version{Steps: 3, Floor: 2}) {
		t.Errorf("got %+v", v)
	}
	if !v.Newer(2) || v.Newer(3) {
		t.Error("newer than three steps, or not than two")
	}
}
