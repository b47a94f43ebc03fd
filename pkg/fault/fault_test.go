package fault_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

func TestError_crosses_the_wire(t *testing.T) {
	sent := fault.Invalid("name", "is too long").After(1500 * time.Millisecond).Because(errors.New("secret"))
	data, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "secret") {
		t.Fatalf("the cause was sent: %s", data)
	}
	var got fault.Error
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := fault.Error{
		Code:       fault.InvalidArgument,
		Detail:     "name: is too long",
		Fields:     []fault.Field{{Field: "name", Detail: "is too long"}},
		RetryAfter: 1500 * time.Millisecond,
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %#v, want %#v", got, want)
	}
}

func TestFrom(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want fault.Code
	}{
		"a wrapped fault":    {fmt.Errorf("open: %w", fault.New(fault.NotFound, "no room")), fault.NotFound},
		"a deadline":         {fmt.Errorf("read: %w", context.DeadlineExceeded), fault.DeadlineExceeded},
		"a cancellation":     {context.Canceled, fault.Unavailable},
		"anything else":      {errors.New("disk on fire"), fault.Internal},
		"an unknown on wire": {decode(t, `{"code":"teapot","detail":"x"}`), fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fault.From(c.err); got.Code != c.want {
				t.Fatalf("got %s, want %s", got.Code, c.want)
			}
		})
	}
	if fault.From(nil) != nil {
		t.Fatal("nil became a fault")
	}
}

func TestError_is_logged_with_its_cause(t *testing.T) {
	var log strings.Builder
	err := fault.New(fault.Internal, "").Because(errors.New("disk on fire"))
	slog.New(slog.NewJSONHandler(&log, nil)).Error("failed", "error", err)
	if !strings.Contains(log.String(), "disk on fire") {
		t.Fatalf("got %s", &log)
	}
}

func TestCheck_reports_every_field(t *testing.T) {
	var check fault.Check
	check.That(true, "a", "is fine")
	check.That(false, "b", "is missing")
	check.That(false, "c", "is too long")
	f := fault.From(check.Err())
	if len(f.Fields) != 2 || f.Fields[0].Field != "b" || f.Fields[1].Field != "c" {
		t.Fatalf("got %+v", f.Fields)
	}
	var none fault.Check
	if err := none.Err(); err != nil {
		t.Fatalf("an empty check failed: %v", err)
	}
}

func decode(t *testing.T, s string) error {
	t.Helper()
	var e fault.Error
	if err := json.Unmarshal([]byte(s), &e); err != nil {
		t.Fatal(err)
	}
	return &e
}
