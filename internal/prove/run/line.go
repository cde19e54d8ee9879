package run

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/writebehind/writebehind/internal/prove/compare"
	"github.com/writebehind/writebehind/internal/prove/history"
)

// line is one connection of the application on one side, with a transaction and
// prepared statements of its own. Its methods are called one at a time.
type line struct {
	session *session
	conn    *sql.Conn // nil: whatever the sql.DB gives
	tx      *sql.Tx
	text    bool // a transaction was begun by a statement
	kept    map[string]*sql.Stmt
	pid     int // of the server's process behind it; 0 if nobody asked
}

// target is what sql.DB, sql.Conn and sql.Tx have in common.
type target interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	PrepareContext(context.Context, string) (*sql.Stmt, error)
}

func (l *line) target() target {
	switch {
	case l.tx != nil:
		return l.tx
	case l.conn != nil:
		return l.conn
	default:
		return l.session.db
	}
}

// inTransaction reports whether one is open, as far as the tester can tell.
func (l *line) inTransaction() bool { return l.tx != nil || l.text }

// close ends what is open and gives the connection back.
func (l *line) close() error {
	var errs []error
	if l.tx != nil {
		errs = append(errs, l.tx.Rollback())
		l.tx = nil
	}
	errs = append(errs, l.forget())
	if l.conn != nil {
		errs = append(errs, l.conn.Close())
		l.conn = nil
	}
	return errors.Join(errs...)
}

// forget closes the statements that are kept prepared.
func (l *line) forget() error {
	var errs []error
	for text, stmt := range l.kept {
		errs = append(errs, stmt.Close())
		delete(l.kept, text)
	}
	return errors.Join(errs...)
}

// perform sends a statement, its arguments resolved, and records what comes of
// it. If anew, statements kept prepared are not used any more.
func (l *line) perform(st history.Statement, args []any, anew bool) (out compare.Outcome) {
	ctx := context.Background()
	if l.session.deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.session.deadline)
		defer cancel()
	}
	defer func() {
		if p := recover(); p != nil {
			out = compare.Outcome{Panic: p}
		}
	}()
	if anew {
		if out.Err = l.forget(); out.Err != nil {
			return out
		}
	}
	switch st.Call {
	case history.Exec, history.Query:
		l.send(ctx, &out, st, args)
		l.follow(st, out.Err)
		l.ask(ctx, &out, st)
	case history.Copy:
		l.copyIn(ctx, &out, st, args)
		l.ask(ctx, &out, st)
	case history.Begin:
		out.Err = l.begin(&sql.TxOptions{Isolation: st.Isolation, ReadOnly: st.ReadOnly})
	case history.Commit:
		if tx := l.tx; tx != nil {
			l.tx, out.Err = nil, tx.Commit()
		}
	case history.Rollback:
		if tx := l.tx; tx != nil {
			l.tx, out.Err = nil, tx.Rollback()
		}
	case history.Reopen:
		if out.Err = l.session.close(); out.Err == nil {
			out.Err = l.session.open(ctx)
		}
	default:
		panic(fmt.Sprintf("run: unknown call %d", st.Call))
	}
	return out
}

// ask records whether a transaction goes on after a statement that has failed in it.
// It does so after every other text only: where it goes on, which it does if the error
// is not PostgreSQL's, the question may have effects on a driver in front of it.
func (l *line) ask(ctx context.Context, out *compare.Outcome, st history.Statement) {
	if out.Err == nil && out.RowsErr == nil || !l.inTransaction() || len(st.SQL)%2 == 0 {
		return
	}
	_, out.Afterwards = l.target().ExecContext(ctx, "SELECT 1")
}

// follow keeps track of transactions that are begun and ended by text.
func (l *line) follow(st history.Statement, err error) {
	switch begins, ends, _ := st.Limits(); {
	case begins && err == nil && l.tx == nil:
		l.text = true
	case ends:
		l.text = false
	}
}

// begin starts a transaction. Its context must not end before it does, so it
// is not that of a statement.
func (l *line) begin(opts *sql.TxOptions) (err error) {
	ctx := context.Background()
	switch {
	case l.tx != nil:
	case l.conn != nil:
		l.tx, err = l.conn.BeginTx(ctx, opts)
	default:
		l.tx, err = l.session.db.BeginTx(ctx, opts)
	}
	return err
}

func (l *line) send(ctx context.Context, out *compare.Outcome, st history.Statement, args []any) {
	exec, query := l.target().ExecContext, l.target().QueryContext
	if st.Prepared != history.Direct {
		stmt, release, err := l.prepare(ctx, st)
		if err != nil {
			out.Err = err
			return
		}
		defer func() {
			if err := release(); err != nil && out.CloseErr == nil {
				out.CloseErr = err
			}
		}()
		exec = func(ctx context.Context, _ string, args ...any) (sql.Result, error) {
			return stmt.ExecContext(ctx, args...)
		}
		query = func(ctx context.Context, _ string, args ...any) (*sql.Rows, error) {
			return stmt.QueryContext(ctx, args...)
		}
	}
	if st.Call == history.Exec {
		res, err := exec(ctx, st.SQL, args...)
		if out.Err = err; err == nil {
			out.Result = compare.ReadResult(res)
		}
		return
	}
	rows, err := query(ctx, st.SQL, args...) //nolint:rowserrcheck // ReadRows does
	if out.Err = err; err == nil {
		out.ReadRows(rows, st.Read)
	}
}

// prepare returns a statement and what to call when it was used.
func (l *line) prepare(ctx context.Context, st history.Statement) (*sql.Stmt, func() error, error) {
	nothing := func() error { return nil }
	kept := l.kept[st.SQL]
	if st.Prepared != history.Kept || (kept == nil && l.tx != nil) {
		stmt, err := l.target().PrepareContext(ctx, st.SQL)
		if err != nil {
			return nil, nil, err
		}
		return stmt, stmt.Close, nil
	}
	if kept == nil {
		var err error
		if kept, err = l.target().PrepareContext(ctx, st.SQL); err != nil {
			return nil, nil, err
		}
		l.kept[st.SQL] = kept
	}
	if l.tx != nil {
		return l.tx.StmtContext(ctx, kept), nothing, nil
	}
	return kept, nothing, nil
}
