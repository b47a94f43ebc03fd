package mongodb

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/x/mongo/driver/topology"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/revision"
)

// What MongoDB 4.2 and later, and FerretDB 1.24, say.
const (
	duplicateAccount = `E11000 duplicate key error collection: auth.users index: account dup key: { account: "x index: email dup key" }`
	duplicateFerret  = `E11000 duplicate key error collection: auth.users`
)

func TestIsDuplicate(t *testing.T) {
	write := func(message string) error {
		return mongo.WriteException{WriteErrors: mongo.WriteErrors{{Code: 11000, Message: message}}}
	}
	for name, c := range map[string]struct {
		err   error
		index string
		want  bool
	}{
		"insert":                {write(duplicateAccount), "account", true},
		"wrapped":               {fmt.Errorf("insert: %w", write(duplicateAccount)), "account", true},
		"any_index":             {write(duplicateAccount), "", true},
		"other_index":           {write(duplicateAccount), "email", false}, // typed by a user, behind the name
		"beginning_of_the_name": {write(duplicateAccount), "acc", false},
		"primary_key":           {write(`E11000 duplicate key error collection: a.b index: _id_ dup key: { _id: "1" }`), "_id_", true},
		"unnamed":               {write(duplicateFerret), "account", true},
		"find_and_modify":       {mongo.CommandError{Code: 11000, Message: duplicateAccount}, "account", true},
		"bulk": {mongo.BulkWriteException{WriteErrors: []mongo.BulkWriteError{
			{WriteError: mongo.WriteError{Index: 3, Code: 121, Message: "Document failed validation"}},
			{WriteError: mongo.WriteError{Index: 4, Code: 11000, Message: duplicateAccount}},
		}}, "account", true},
		"other_error":   {mongo.CommandError{Code: 26, Message: "ns not found index: account "}, "account", false},
		"write_concern": {mongo.WriteException{WriteConcernError: &mongo.WriteConcernError{Code: 64}}, "", false},
		"not_mongo":     {errors.New(duplicateAccount), "account", false},
		"nil":           {nil, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := IsDuplicate(c.err, c.index); got != c.want {
				t.Errorf("IsDuplicate(%v, %q) is %v", c.err, c.index, got)
			}
		})
	}
}

func TestAsFault(t *testing.T) {
	network := mongo.CommandError{Labels: []string{"NetworkError"}, Message: "connection reset"}
	for name, c := range map[string]struct {
		err  error
		want fault.Code
	}{
		"network":           {network, fault.Unavailable},
		"no_primary":        {topology.ServerSelectionError{Wrapped: topology.ErrServerSelectionTimeout}, fault.Unavailable},
		"stepped_down":      {mongo.CommandError{Code: 189}, fault.Unavailable},
		"not_primary":       {mongo.WriteException{Labels: []string{"RetryableWriteError"}}, fault.Unavailable},
		"no_majority":       {mongo.WriteException{WriteConcernError: &mongo.WriteConcernError{Code: 64}}, fault.Unavailable},
		"no_majority_bulk":  {mongo.BulkWriteException{WriteConcernError: &mongo.WriteConcernError{Code: 64}}, fault.Unavailable},
		"may_only_read":     {mongo.CommandError{Code: 13, Message: "not authorized on chat to execute command"}, fault.Unavailable},
		"disk_full":         {mongo.WriteException{WriteErrors: mongo.WriteErrors{{Code: 14031, Message: "available disk space is below"}}}, fault.Unavailable},
		"closed":            {mongo.ErrClientDisconnected, fault.Unavailable},
		"deadline":          {topology.ServerSelectionError{Wrapped: context.DeadlineExceeded}, fault.DeadlineExceeded},
		"deadline_midway":   {mongo.CommandError{Labels: []string{"NetworkError"}, Wrapped: context.DeadlineExceeded}, fault.DeadlineExceeded},
		"duplicate":         {mongo.CommandError{Code: 11000, Message: duplicateAccount}, fault.Internal},
		"bad_query":         {mongo.CommandError{Code: 2, Message: "unknown operator"}, fault.Internal},
		"nothing_found":     {mongo.ErrNoDocuments, fault.Internal},
		"conflict":          {revision.ErrConflict, fault.Internal},
		"a_fault_already":   {fault.New(fault.NotFound, "").Because(network), fault.NotFound},
		"wrapped_by_caller": {fmt.Errorf("load room: %w", network), fault.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			got := AsFault(c.err)
			if code := fault.From(got).Code; code != c.want {
				t.Errorf("%v became %v, want %v", c.err, code, c.want)
			}
			if f := new(fault.Error); c.want == fault.Internal && errors.As(got, &f) {
				t.Errorf("%v was not left alone", c.err)
			}
		})
	}
	if AsFault(nil) != nil {
		t.Error("nil became an error")
	}
}
