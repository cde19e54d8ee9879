package queue

import (
	"errors"

	"github.com/writebehind/writebehind/internal/pgerr"
)

// verdict tells what to do after a failed attempt to flush.
type verdict uint8

const (
	verdictRetry  verdict = iota // the server answers; the same again will do
	verdictAway                  // the server does not answer: again, but nobody need wait
	verdictReplay                // something in the memtable is refused: find out what
	verdictPause                 // an operator must look; keep everything and say so
)

// refused tells whether the error is PostgreSQL's last word on a mutation: the
// data is wrong (22), a constraint forbids it (23, 44), a limit is exceeded
// (54), or the row is not what it was acknowledged to be.
func refused(err error) bool {
	if errors.Is(err, errWrongCount) {
		return true
	}
	switch pgerr.Class(err) {
	case "22", "23", "44", "54":
		return true
	}
	return false
}

// misfit tells whether the error says that a mutation does not fit the schema
// any more.
func misfit(err error) bool {
	switch pgerr.Class(err) {
	case "0A", "3F", "42":
		return true
	}
	return false
}

// judge decides about a failed attempt.
func (f *flush) judge(err error) verdict {
	if errors.Is(err, ErrForeign) || errors.Is(err, ErrRewound) || errors.Is(err, errTooMany) {
		return verdictPause
	}
	state := pgerr.State(err)
	switch {
	case refused(err), state == "08P01":
		if f.oneByOne { // each group by itself was accepted, or cannot even be sent
			return verdictPause
		}
		return verdictReplay
	case state == "57014": // statement_timeout: the second time, take smaller steps
		f.timeouts++
		if f.timeouts > 1 && !f.oneByOne {
			return verdictReplay
		}
		return verdictRetry
	case state == "":
		return verdictAway
	}
	switch pgerr.Class(err) {
	case "08", "57", "53":
		return verdictAway
	case "40", "55":
		// Whoever waits for the flush may hold, by a transaction of its own, what
		// the other session that is in the way waits for.
		f.conflicts++
		if f.conflicts > 1 {
			return verdictAway
		}
		return verdictRetry
	}
	return verdictPause
}
