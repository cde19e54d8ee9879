// Package pgerr reads errors of PostgreSQL, whichever real driver brings them.
package pgerr

import "errors"

// State returns the SQLSTATE of a server's error, "" for any other (PostgreSQL
// documentation, Appendix A). The errors of lib/pq and of pgx have it.
func State(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}

// Class returns the first two characters of the SQLSTATE, "" for an error that
// is not the server's.
func Class(err error) string {
	if state := State(err); len(state) == 5 {
		return state[:2]
	}
	return ""
}

// StaleSchema tells whether the error shows that tables or columns are not what
// they were taken for (class 42; 0A000 is "cached plan must not change result
// type").
func StaleSchema(err error) bool {
	return Class(err) == "42" || State(err) == "0A000"
}

// ForLog is the error as it may stand in a log: the server's message where it
// speaks of the schema, the session or the server, and no more than the SQLSTATE
// where it may quote values of a row.
func ForLog(err error) string {
	switch state := State(err); {
	case err == nil:
		return ""
	case state == "" || quotesNoValue[Class(err)]:
		return err.Error()
	default:
		return "SQLSTATE " + state
	}
}

// quotesNoValue are the classes of errors whose messages hold names and numbers
// of the server only.
var quotesNoValue = map[string]bool{
	"08": true, "0A": true, "25": true, "28": true, "3D": true, "3F": true, "40": true, "42": true,
	"53": true, "55": true, "57": true, "58": true,
}
