// Package telemetrytest is for tests of what services tell about themselves.
package telemetrytest

import (
	"context"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/telemetry"
)

// untimed are the methods of a store that nobody measures.
var untimed = map[string]bool{"Schema": true, "Ping": true, "Close": true}

// Timed checks that a store measures each of its verbs under its own name. The
// store wraps a nil one, so that each call of it panics after it was begun.
func Timed[Store any](t *testing.T, store Store, tel *telemetry.Telemetry) {
	t.Helper()
	verbs := reflect.TypeFor[Store]()
	for i := range verbs.NumMethod() {
		if name := verbs.Method(i).Name; !untimed[name] {
			call(reflect.ValueOf(store).MethodByName(name))
		}
	}
	measured := map[string]bool{}
	families, err := tel.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "parley_store_duration_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "verb" && m.GetHistogram().GetSampleCount() == 1 {
					measured[l.GetValue()] = true
				}
			}
		}
	}
	for i := range verbs.NumMethod() {
		if name := verbs.Method(i).Name; !untimed[name] && !measured[verb(name)] {
			t.Errorf("%s is not measured as %s", name, verb(name))
		}
	}
}

// call calls with zero values, and a context.
func call(method reflect.Value) {
	defer func() { _ = recover() }()
	args := make([]reflect.Value, method.Type().NumIn())
	for i := range args {
		args[i] = reflect.Zero(method.Type().In(i))
	}
	args[0] = reflect.ValueOf(context.Background())
	if method.Type().IsVariadic() {
		method.CallSlice(args)
		return
	}
	method.Call(args)
}

var word = regexp.MustCompile(`[A-Z][a-z]*`)

// verb is a method's name as a label: ByClientID is by_client_id.
func verb(name string) string {
	words := word.FindAllString(strings.ReplaceAll(name, "ID", "Id"), -1)
	return strings.ToLower(strings.Join(words, "_"))
}
