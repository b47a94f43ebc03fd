package shownname

import (
	"testing"

	"github.com/parley-im/parley/pkg/fault"
)

func TestCheck(t *testing.T) {
	for name, ok := range map[string]bool{
		"": true, "Ann": true, "王": true, "عمر": true, "👩\u200d💻": true, "❤\ufe0f": true, "!": true, "a\u0301": true, "a\u200fb": true,
		"\u200b": false, "\u2060\u200b": false, "\u3164": false, "\u2800": false, "\u00ad": false, "\ufeff": false, "\U000e0041": false,
		"\u0301": false, "\ufe0f": false, "\u115f": false, "\uffa0": false, " ": false, "\u00a0": false, "\u200d": false,
		"a\u202eb": false, "a\u202a": false, "\u2066a": false, "a\u2069": false, "a\x00": false, "a\n": false,
	} {
		var check fault.Check
		Check(&check, "nickname", name)
		err := fault.From(check.Err())
		if check.Err() == nil != ok {
			t.Errorf("%q: got %v", name, check.Err())
		}
		if !ok && (err == nil || len(err.Fields) == 0 || err.Fields[0].Field != "nickname") {
			t.Errorf("%q: got %v", name, err)
		}
	}
}
