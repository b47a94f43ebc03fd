package mongodb

import (
	"context"
	"errors"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/mongo"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/probe"
)

// IsDuplicate reports whether err is, or wraps, a write that the unique index
// of this name refused; of a bulk, any of its writes. An empty name means any
// index. The primary key's name is "_id_".
//
// FerretDB v1 does not say which index it was: there every duplicate matches
// every name. Who has several unique indexes asks for the likeliest first.
func IsDuplicate(err error, index string) bool {
	return slices.ContainsFunc(duplicates(err), func(message string) bool {
		named, ok := indexOf(message)
		return index == "" || !ok || named == index
	})
}

// duplicates returns the messages of all duplicate key errors within err.
func duplicates(err error) []string {
	var messages []string
	add := func(code int, message string) {
		switch code {
		case 11000, 11001, 12582: // DuplicateKey, and its names of old
			messages = append(messages, message)
		}
	}
	var write mongo.WriteException
	var bulk mongo.BulkWriteException
	var command mongo.CommandError
	switch {
	case errors.As(err, &write):
		for _, e := range write.WriteErrors {
			add(e.Code, e.Message)
		}
	case errors.As(err, &bulk):
		for _, e := range bulk.WriteErrors {
			add(e.Code, e.Message)
		}
	case errors.As(err, &command):
		add(int(command.Code), command.Message)
	}
	return messages
}

// indexOf reads the name out of "E11000 duplicate key error collection:
// chat.messages index: room_seq dup key: { … }". The first "index: " is the
// server's own; values that users typed come after it.
func indexOf(message string) (name string, ok bool) {
	_, rest, ok := strings.Cut(message, " index: ")
	if !ok {
		return "", false
	}
	name, _, _ = strings.Cut(rest, " ")
	return name, true
}

// AsFault returns err as fault.Unavailable when the server could not be
// reached or could not answer for now: no primary, a failover, a network
// error, too few members for the write concern. The outcome of such a write
// is not known. It is also Unavailable when the server refuses writes: its disk
// is full, or the user may only read. Any other error, nil and those of ctx too, it returns
// unchanged.
func AsFault(err error) error {
	var f *fault.Error
	switch {
	case err == nil, errors.As(err, &f):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case mongo.IsNetworkError(err), mongo.IsTimeout(err), isTransient(err), errors.Is(err, mongo.ErrClientDisconnected):
		return fault.New(fault.Unavailable, "the store does not answer").Because(err)
	case refusesWrites(err):
		return probe.NotWritable(err)
	default:
		return err
	}
}

// unwritable are the codes of a server that does not store what it is asked
// to: Unauthorized and OutOfDiskSpace, from
// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
var unwritable = []int{13, 14031}

func refusesWrites(err error) bool {
	var server mongo.ServerError
	return errors.As(err, &server) && slices.ContainsFunc(unwritable, server.HasErrorCode)
}

// transient are the codes of a server that steps down, shuts down or waits
// for others, from the drivers' specification of retryable reads and writes:
// https://github.com/mongodb/specifications/blob/master/source/retryable-reads/retryable-reads.md
var transient = []int{
	6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
	50, 64, // MaxTimeMSExpired, WriteConcernTimeout
}

func isTransient(err error) bool {
	var write mongo.WriteException
	var bulk mongo.BulkWriteException
	if errors.As(err, &write) && write.WriteConcernError != nil ||
		errors.As(err, &bulk) && bulk.WriteConcernError != nil {
		return true // written, but maybe not by a majority
	}
	var server mongo.ServerError
	if !errors.As(err, &server) {
		return false
	}
	return server.HasErrorLabel("RetryableWriteError") || server.HasErrorLabel("TransientTransactionError") ||
		slices.ContainsFunc(transient, server.HasErrorCode)
}
