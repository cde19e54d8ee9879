package queue

import "errors"

// verdict tells what to do after a failed attempt to flush.
type verdict uint8

const (
	verdictRetry  verdict = iota // the server answers; the same again will do
	verdictAway                  // the server does not answer: again, but nobody need wait
	verdictReplay                // something in the memtable is refused: find out what
	verdictPause                 // an operator must look; keep everything and say so
)

// sqlState returns the SQLSTATE of a server's error, "" for any other
// (PostgreSQL documentation, Appendix A). Both lib/pq and pgx errors have it.
func sqlState(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}

func class(err error) string {
	if state := sqlState(err); len(state) == 5 {
		return state[:2]
	}
	return ""
}

// refused tells whether the error is PostgreSQL's last word on a mutation: the
// data is wrong (22), a constraint forbids it (23, 44), a limit is exceeded
// (54), or the row is not what it was acknowledged to be.
func refused(err error) bool {
	if errors.Is(err, errWrongCount) {
		return true
	}
	switch class(err) {
	case "22", "23", "44", "54":
		return true
	}
	return false
}

// staleSchema tells whether the error shows that tables or columns are not what
// the shim thinks (class 42; 0A000 is "cached plan must not change result type").
func staleSchema(err error) bool {
	return class(err) == "42" || sqlState(err) == "0A000"
}

// judge decides about a failed attempt.
func (f *flush) judge(err error) verdict {
	if errors.Is(err, errForgotten) {
		return verdictPause
	}
	if errors.Is(err, errInProgress) {
		return verdictRetry
	}
	state := sqlState(err)
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
	switch class(err) {
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
