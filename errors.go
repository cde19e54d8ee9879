package writebehind

import "errors"

// Errors of a connector and its engine.
var (
	// ErrClosed is returned by a connector that has been closed.
	ErrClosed = errors.New("writebehind: the connector is closed")
	// ErrPending is wrapped by the error of Close, and of Flush, when writes are
	// left that are not in PostgreSQL yet.
	ErrPending = errors.New("acknowledged writes are not in PostgreSQL yet")
	// ErrOwned is wrapped by the error of every statement that needs an opted-in
	// table while another process that is gone has acknowledged writes which are
	// not in PostgreSQL. The error says whose they are and what to do.
	ErrOwned = errors.New("another process has acknowledged writes that are not in PostgreSQL")
	// ErrJournal is wrapped by the error of a write that could not be made durable.
	// It is not acknowledged, and will not be flushed.
	ErrJournal = errors.New("the journal failed")
	// ErrFull is returned for a write at writebehind.max_pending_rows,
	// writebehind.max_pending_bytes or writebehind.max_journal_bytes with writebehind.overflow=error. The write
	// has not happened.
	ErrFull = errors.New("writebehind: too many writes are waiting for PostgreSQL")
)
