package mongodb_test

import (
	"testing"

	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/mongodb/mongotest"
)

func TestDB_Migrate(t *testing.T) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) *mongodb.DB){
		"one_after_the_other": mongotest.Migrations,
		"at_once":             mongotest.MigrationsAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			uri := mongotest.URI(t)
			test(t, func(t *testing.T) *mongodb.DB { return mongotest.Connect(t, uri) })
		})
	}
}
