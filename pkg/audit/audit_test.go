package audit_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/audit"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		act   contract.Act
		field string // that is refused
	}{
		"a name":              {contract.Act{By: "ann.b-c_d@example"}, ""},
		"a reason":            {contract.Act{By: "ann", Reason: strings.Repeat("好", 200)}, ""},
		"nobody":              {contract.Act{}, "act.by"},
		"a name with spaces":  {contract.Act{By: "ann b"}, "act.by"},
		"a name with a break": {contract.Act{By: "ann\n"}, "act.by"},
		"a long name":         {contract.Act{By: strings.Repeat("a", 65)}, "act.by"},
		"a long reason":       {contract.Act{By: "ann", Reason: strings.Repeat("x", 201)}, "act.reason"},
		"a control character": {contract.Act{By: "ann", Reason: "a\x1b[2J"}, "act.reason"},
		"no UTF-8":            {contract.Act{By: "ann", Reason: "\xff"}, "act.reason"},
		"just now":            {contract.Act{By: "ann", AskedAt: contract.NewTime(time.Now())}, ""},
		"long ago":            {contract.Act{By: "ann", AskedAt: contract.NewTime(time.Now().Add(-contract.MaxActAge))}, "act.asked_at"},
		"a little ahead":      {contract.Act{By: "ann", AskedAt: contract.NewTime(time.Now().Add(30 * time.Second))}, ""},
		"of next year":        {contract.Act{By: "ann", AskedAt: contract.NewTime(time.Now().Add(365 * 24 * time.Hour))}, "act.asked_at"},
	} {
		t.Run(name, func(t *testing.T) {
			var check fault.Check
			audit.Check(&check, &c.act)
			var f *fault.Error
			switch err := check.Err(); {
			case c.field == "" && err != nil:
				t.Error(err)
			case c.field != "" && (!errors.As(err, &f) || len(f.Fields) != 1 || f.Fields[0].Field != c.field):
				t.Errorf("got %v, want a word about %s", err, c.field)
			}
		})
	}
	act := contract.Act{By: "ann", Reason: "  spam "}
	if audit.Check(&fault.Check{}, &act); act.Reason != "spam" {
		t.Errorf("the reason is %q", act.Reason)
	}
}

func TestEvent(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	act := contract.Act{By: "ann", Reason: "spam"}
	e, err := audit.Event(contract.ChatAudit, act, contract.ForceRemove.Name, "room", contract.AuditEvent{RoomID: "room", Seq: 4}, now)
	if err != nil {
		t.Fatal(err)
	}
	body, err := contract.ChatAudit.Decode(e.Payload)
	if err != nil {
		t.Fatal(err)
	}
	want := contract.AuditEvent{By: "ann", Reason: "spam", Action: "force_remove", RoomID: "room", Seq: 4}
	if body.Data != want || e.Key != "room" || !body.At.Equal(now) || e.Subject != "im.evt.chat.audit" {
		t.Errorf("got %+v in %+v", body, e)
	}
}
