// Package schema says which programs may use which databases. A store's
// layout is a list of steps, each of which brings a database from one version
// to the next; a database keeps the number of those that it has taken.
//
// In a rolling upgrade programs of two versions use one database. That of the
// newer takes the steps that it lacks, and the older goes on, at this start and
// at later ones: a step adds what an older program does not see, such as a
// collection or a column with a default. A step that it could not live with
// says so, and sets the database's floor; then older programs are to be
// stopped first, and are refused afterwards.
package schema

import (
	"errors"
	"fmt"
)

// ErrNotNow is wrapped by the error of opening a store that may succeed later:
// the server is away, or another process builds indexes or holds the lock.
var ErrNotNow = errors.New("the store cannot be opened now")

// Version is how far a database is.
type Version struct {
	// Steps is how many steps it has taken. 0: none; it is new, or older than
	// this package.
	Steps int
	// Floor is how many steps a program must know to use it.
	Floor int
}

// Admit returns an error when a program that knows so many steps must not use
// the database.
func (v Version) Admit(known int) error {
	if known < v.Floor {
		return fmt.Errorf("the database is of schema version %d, which programs that know version %d or later can use; this one knows %d: start a newer program, or restore the backup of before the upgrade",
			v.Steps, v.Floor, known)
	}
	return nil
}

// Newer reports whether a program that knows so many steps is older than the
// database. It then leaves the layout alone, indexes too.
func (v Version) Newer(known int) bool { return v.Steps > known }

// After is the database's version once step number n has run.
func (v Version) After(n int, breaks bool) Version {
	v.Steps = n
	if breaks {
		v.Floor = n
	}
	return v
}

// State is what a database has of its layout, for a diagnosis.
type State struct {
	Version
	Known int // steps that this program knows
	// Missing are the indexes that this program builds at its start and that
	// are not there, as collection.name or, in SQLite, by name. An older
	// program does not judge a newer database.
	Missing []string
}
