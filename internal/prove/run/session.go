package run

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/writebehind/writebehind/internal/prove/compare"
	"github.com/writebehind/writebehind/internal/prove/history"
)

// session is the application on one side. Its methods are called one at a time.
type session struct {
	driver   string
	dsn      string
	held     bool          // one sql.Conn rather than the sql.DB
	deadline time.Duration // 0: the context cannot end

	counts func(*sql.DB) (Counts, error)
	total  Counts

	db   *sql.DB
	conn *sql.Conn
	tx   *sql.Tx
	kept map[string]*sql.Stmt
}

// target is what sql.DB, sql.Conn and sql.Tx have in common.
type target interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	PrepareContext(context.Context, string) (*sql.Stmt, error)
}

func (s *session) open(ctx context.Context) error {
	db, err := sql.Open(s.driver, s.dsn)
	if err != nil {
		return err
	}
	// One connection, so that what a session remembers is the same on both sides.
	db.SetMaxOpenConns(1)
	s.db, s.kept = db, map[string]*sql.Stmt{}
	if s.held {
		s.conn, err = db.Conn(ctx)
	}
	return err
}

// close ends what is open and closes the database, which flushes it.
func (s *session) close() error {
	var errs []error
	if s.tx != nil {
		errs = append(errs, s.tx.Rollback())
		s.tx = nil
	}
	errs = append(errs, s.forget())
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
		s.conn = nil
	}
	if s.db != nil {
		if s.counts != nil {
			c, err := s.counts(s.db)
			s.total = s.total.Add(c)
			errs = append(errs, err)
		}
		errs = append(errs, s.db.Close())
		s.db = nil
	}
	return errors.Join(errs...)
}

// forget closes the statements that are kept prepared.
func (s *session) forget() error {
	var errs []error
	for text, stmt := range s.kept {
		errs = append(errs, stmt.Close())
		delete(s.kept, text)
	}
	return errors.Join(errs...)
}

func (s *session) target() target {
	switch {
	case s.tx != nil:
		return s.tx
	case s.conn != nil:
		return s.conn
	default:
		return s.db
	}
}

// perform sends a statement, its arguments resolved, and records what comes of it.
func (s *session) perform(st history.Statement, args []any) (out compare.Outcome) {
	ctx := context.Background()
	if s.deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.deadline)
		defer cancel()
	}
	defer func() {
		if p := recover(); p != nil {
			out = compare.Outcome{Panic: p}
		}
	}()
	if st.DDL {
		if out.Err = s.forget(); out.Err != nil {
			return out
		}
	}
	switch st.Call {
	case history.Exec, history.Query:
		s.send(ctx, &out, st, args)
	case history.Begin:
		out.Err = s.begin(&sql.TxOptions{Isolation: st.Isolation, ReadOnly: st.ReadOnly})
	case history.Commit:
		if tx := s.tx; tx != nil {
			s.tx, out.Err = nil, tx.Commit()
		}
	case history.Rollback:
		if tx := s.tx; tx != nil {
			s.tx, out.Err = nil, tx.Rollback()
		}
	case history.Reopen:
		if out.Err = s.close(); out.Err == nil {
			out.Err = s.open(ctx)
		}
	default:
		panic(fmt.Sprintf("run: unknown call %d", st.Call))
	}
	return out
}

// begin starts a transaction. Its context must not end before it does, so it
// is not that of a statement.
func (s *session) begin(opts *sql.TxOptions) (err error) {
	ctx := context.Background()
	switch {
	case s.tx != nil:
	case s.conn != nil:
		s.tx, err = s.conn.BeginTx(ctx, opts)
	default:
		s.tx, err = s.db.BeginTx(ctx, opts)
	}
	return err
}

func (s *session) send(ctx context.Context, out *compare.Outcome, st history.Statement, args []any) {
	exec, query := s.target().ExecContext, s.target().QueryContext
	if st.Prepared != history.Direct {
		stmt, release, err := s.prepare(ctx, st)
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
func (s *session) prepare(ctx context.Context, st history.Statement) (*sql.Stmt, func() error, error) {
	nothing := func() error { return nil }
	kept := s.kept[st.SQL]
	if st.Prepared != history.Kept || (kept == nil && s.tx != nil) {
		stmt, err := s.target().PrepareContext(ctx, st.SQL)
		if err != nil {
			return nil, nil, err
		}
		return stmt, stmt.Close, nil
	}
	if kept == nil {
		var err error
		if kept, err = s.target().PrepareContext(ctx, st.SQL); err != nil {
			return nil, nil, err
		}
		s.kept[st.SQL] = kept
	}
	if s.tx != nil {
		return s.tx.StmtContext(ctx, kept), nothing, nil
	}
	return kept, nothing, nil
}
