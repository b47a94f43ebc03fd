// Package filled makes records none of whose fields is zero, and compares them:
// for tests that must notice a field that was added in one place only.
package filled

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// Of returns a T in which no exported field is zero, and no two texts, numbers
// or times are equal. Other seeds fill it with other values. Times are in UTC and
// whole milliseconds, lists have two entries. It panics on a field that it
// cannot fill, such as an unexported one: a store could not fill it either.
func Of[T any](seed int) T {
	var v T
	f := filler{seed: seed}
	f.fill(reflect.ValueOf(&v).Elem())
	return v
}

// filler counts the values that it has given out.
type filler struct{ seed, n int }

// next is a number of its own for each value; a seed has a thousand.
func (f *filler) next() int {
	f.n++
	return f.seed*1000 + f.n
}

var timeType = reflect.TypeFor[time.Time]()

func (f *filler) fill(v reflect.Value) {
	if v.Type() == timeType {
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(f.next()) * time.Millisecond)
		v.Set(reflect.ValueOf(at))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("v", f.next()))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.next()))
	case reflect.Uint8: // a byte, printable: some are of a text
		v.SetUint(uint64('!' + f.next()%94))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.entries(v)
	case reflect.Array:
		f.entries(v)
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	default:
		panic(fmt.Sprintf("filled: a %s cannot be filled", v.Type()))
	}
}

func (f *filler) entries(v reflect.Value) {
	for i := range v.Len() {
		f.fill(v.Index(i))
	}
}

// Same fails the test unless the two are equal in every field, and names those
// that are not. Fields within a field are named "Content.Text", those of an
// embedded struct like its own.
func Same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	names := fields(reflect.ValueOf(got), reflect.ValueOf(want), func(a, b any) bool { return !reflect.DeepEqual(a, b) })
	if len(names) > 0 {
		t.Errorf("%s differs in %v:\ngot  %+v\nwant %+v", what, names, got, want)
	}
}

// Left fails the test unless exactly the named fields of a record are what they
// were, and not zero.
func Left[T any](t testing.TB, what string, before, after T, names ...string) {
	t.Helper()
	left := fields(reflect.ValueOf(before), reflect.ValueOf(after), func(a, b any) bool {
		return reflect.DeepEqual(a, b) && !reflect.ValueOf(a).IsZero()
	})
	if !sameNames(left, names) {
		t.Errorf("of %s are left %v, want %v:\nbefore %+v\nafter  %+v", what, left, names, before, after)
	}
}

// Empty fails the test unless exactly the named fields of a record are zero.
func Empty[T any](t testing.TB, what string, v T, names ...string) {
	t.Helper()
	empty := fields(reflect.ValueOf(v), reflect.ValueOf(v), func(a, _ any) bool { return reflect.ValueOf(a).IsZero() })
	if !sameNames(empty, names) {
		t.Errorf("%s is empty in %v, want %v: %+v", what, empty, names, v)
	}
}

// fields names the fields of two structs of which is holds.
func fields(a, b reflect.Value, is func(a, b any) bool) (names []string) {
	for i := range a.NumField() {
		field := a.Type().Field(i)
		switch plain := field.Type.Kind() != reflect.Struct || field.Type == timeType || field.Type == reflect.TypeFor[contract.Time](); {
		case plain && is(a.Field(i).Interface(), b.Field(i).Interface()):
			names = append(names, field.Name)
		case plain:
		case field.Anonymous:
			names = append(names, fields(a.Field(i), b.Field(i), is)...)
		default:
			for _, name := range fields(a.Field(i), b.Field(i), is) {
				names = append(names, field.Name+"."+name)
			}
		}
	}
	return names
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// Readers names the methods of the interface S that return a T, a pointer to
// one, or a list or map of them: each must return all of its fields.
func Readers[S, T any](t testing.TB, names ...string) {
	t.Helper()
	var got []string
	for method := range reflect.TypeFor[S]().Methods() {
		for out := range method.Type.Outs() {
			for out.Kind() == reflect.Pointer || out.Kind() == reflect.Slice || out.Kind() == reflect.Map {
				out = out.Elem()
			}
			if out == reflect.TypeFor[T]() {
				got = append(got, method.Name)
			}
		}
	}
	if !sameNames(got, names) {
		t.Errorf("a %s is read by %v, want %v", reflect.TypeFor[T](), got, names)
	}
}
