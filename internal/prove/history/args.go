package history

import (
	"database/sql/driver"
	"errors"
	"time"
)

// UUIDs is the Minted.From of keys made by gen_random_uuid().
const UUIDs = -1

// Minted is an argument that stands for a key which PostgreSQL made. The two
// databases make different keys, so the argument names one by its place: the
// Nth that the application has seen, counted round.
type Minted struct {
	From int // number of the sequence (see SequenceStart), or UUIDs
	N    int
}

// Sequences of a generated schema hand out values from ranges of their own, so
// that a value tells where it comes from. Generated arguments keep out of them.
const (
	MintedFirst = 1_900_000_000 // lower bound of what sequences hand out
	MintedLast  = 1_999_999_999 // upper bound; fits int4
	MintedSpan  = 1_000_000     // values per sequence
)

// SequenceStart is the first value of the sequence with that number.
func SequenceStart(number int) int64 { return MintedFirst + int64(number)*MintedSpan }

// Named is a string of a type that database/sql has to unwrap.
type Named string

// Valued is an argument that hides its value behind driver.Valuer.
type Valued struct{ V driver.Value }

// Value implements driver.Valuer.
func (v Valued) Value() (driver.Value, error) { return v.V, nil }

// Zone returns the named time zone of this machine, or a zone of offset 0 and
// that name where it is not installed.
func Zone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.FixedZone(name, 0)
	}
	return loc
}

// Failing is an argument whose Value fails.
type Failing struct{ Text string }

// Value implements driver.Valuer.
func (f Failing) Value() (driver.Value, error) { return nil, errors.New(f.Text) }

// Number is an int64 of a type that database/sql has to unwrap.
type Number int64

// Blob is a []byte of a type that database/sql has to unwrap.
type Blob []byte
