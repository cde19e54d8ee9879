package writebehind

import "errors"

// Errors of a connector and its engine.
var (
	// ErrClosed is returned by a connector that has been closed.
	ErrClosed = errors.New("writebehind: the connector is closed")
	// ErrPending is wrapped by the error of Close, and of Flush, when writes are
	// left that are not in PostgreSQL yet.
	ErrPending = errors.New("acknowledged writes are not in PostgreSQL yet")
	// ErrFull is returned for a write at writebehind.max_pending_rows or
	// writebehind.max_pending_bytes with writebehind.overflow=error. The write
	// has not happened.
	ErrFull = errors.New("writebehind: too many writes are waiting for PostgreSQL")
)
