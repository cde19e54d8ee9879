package load

import (
	"errors"
	"net"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/crash/record"
)

// Outcome says what an error of a statement, or of COMMIT, leaves open. What is
// called refused here must not be found in PostgreSQL.
func Outcome(err error) record.Verb {
	var server *pq.Error
	var network *net.OpError
	switch {
	case err == nil:
		return record.Acked
	case errors.Is(err, writebehind.ErrFull), errors.Is(err, writebehind.ErrPending):
		return record.Refused // they say so
	case errors.As(err, &server) && refuses(server):
		return record.Refused
	case errors.As(err, &network) && network.Op == "dial":
		return record.Refused // nobody has heard of it
	}
	return record.Unknown
}

// refuses tells whether the server's error ends a statement and no more than
// that. After FATAL and PANIC, when the session ends, it may have happened; but not
// if the server is only starting up or has no slot.
func refuses(err *pq.Error) bool {
	switch {
	case err.Severity == "ERROR":
		return true
	case err.Code == "57P03", err.Code == "53300":
		return true
	}
	return false
}
