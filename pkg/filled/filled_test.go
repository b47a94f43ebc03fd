package filled_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/filled"
)

// Text is what a record says.
type Text struct{ Text string }

// Named is embedded.
type Named struct{ Name string }

// record has a field of each kind that records have.
type record struct {
	Named
	ID     string
	Seq    int64
	Count  int
	Gone   bool
	Hash   [4]byte
	Sealed []byte
	At     contract.Time
	Until  *contract.Time
	Raw    time.Time
	Body   Text
	List   []Text
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(string, ...any) { r.failed = true }

// fails reports whether a check fails.
func fails(check func(t testing.TB)) bool {
	r := &recorder{}
	check(r)
	return r.failed
}

func TestOf(t *testing.T) {
	one, other := filled.Of[record](1), filled.Of[record](2)
	filled.Empty(t, "a record", one)
	filled.Same(t, "a record of the same seed", filled.Of[record](1), one)
	filled.Left(t, "a record of another seed", one, other, "Gone") // true has no other value
	if one.At.Location() != time.UTC || one.At != contract.NewTime(one.At.Time) {
		t.Errorf("the time is %v", one.At)
	}
	defer func() {
		if recover() == nil {
			t.Error("an unexported field was passed over")
		}
	}()
	filled.Of[struct{ hidden string }](1)
}

func TestSame_and_Left_and_Empty_name_fields(t *testing.T) {
	one := filled.Of[record](1)
	other := one
	other.Name, other.Body.Text = "", ""
	for what, failed := range map[string]bool{
		"another field of a field":  fails(func(t testing.TB) { filled.Same(t, "", other, one) }),
		"fields that are not named": fails(func(t testing.TB) { filled.Left(t, "", one, one, "ID") }),
		"a name of what is gone": fails(func(t testing.TB) {
			filled.Left(t, "", one, other, "Name", "ID", "Seq", "Count", "Gone", "Hash", "Sealed", "At", "Until", "Raw", "List")
		}),
		"an empty field": fails(func(t testing.TB) { filled.Empty(t, "", other, "Name") }),
	} {
		if !failed {
			t.Errorf("%s: not noticed", what)
		}
	}
	filled.Empty(t, "the other", other, "Name", "Body.Text")
	filled.Left(t, "the other", one, other, "ID", "Seq", "Count", "Gone", "Hash", "Sealed", "At", "Until", "Raw", "List")
}

type reader interface {
	One() (*record, error)
	Many() (map[string][]record, error)
	Write(record) error
}

func TestReaders(t *testing.T) {
	filled.Readers[reader, record](t, "One", "Many")
	if !fails(func(t testing.TB) { filled.Readers[reader, record](t, "One") }) {
		t.Error("a reader that is not named was not noticed")
	}
}
