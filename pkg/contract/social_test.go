package contract

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
)

func TestMembershipsReply(t *testing.T) {
	rows := []Membership{
		{RoomID: "a", FirstSeq: 1, Rev: 7, JoinedAt: NewTime(time.Now())},
		{RoomID: "b", FirstSeq: 40, Rev: 1, JoinedAt: FromMilli(1)},
	}
	for name, want := range map[string][]Membership{"two": rows, "none": {}} {
		data, err := json.Marshal(NewMembershipsReply(want))
		var reply MembershipsReply
		if err == nil {
			err = json.Unmarshal(data, &reply)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := reply.Rows(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	uneven := NewMembershipsReply(rows)
	uneven.Revs = uneven.Revs[:1]
	if rows, err := uneven.Rows(); err == nil {
		t.Errorf("columns of different length made %+v", rows)
	}
}
