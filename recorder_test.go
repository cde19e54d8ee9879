package writebehind_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

func init() { sql.Register("recorded", recorders) }

// recorders are the recorders by the DSN under which they are opened, byte for
// byte.
var recorders = &recorderDriver{byDSN: make(map[string]*recorder)}

type recorderDriver struct {
	mu    sync.Mutex
	byDSN map[string]*recorder
}

// Open implements driver.Driver.
func (d *recorderDriver) Open(dsn string) (driver.Conn, error) {
	d.mu.Lock()
	r := d.byDSN[dsn]
	d.mu.Unlock()
	if r == nil {
		return nil, errors.New("no recorder has this DSN")
	}
	inner, err := r.open(dsn)
	if err != nil {
		return nil, err
	}
	r.opened.Add(1)
	return &recordingConn{recorder: r, inner: inner}, nil
}

// recorder keeps what reaches a real driver, in order. Its connections serve
// no more interfaces than go-sqlmock's do: they cannot be reset or validated.
type recorder struct {
	open           func(dsn string) (driver.Conn, error)
	aside          func() (driver.Conn, error) // see aside_test.go
	opened, closed atomic.Int64

	mu    sync.Mutex
	calls []call
}

// call is one call of the real driver, and for a query what it brought.
type call struct {
	what    string // the statement, PREPARE and the statement, BEGIN, COMMIT or ROLLBACK
	args    []driver.Value
	columns []string
	rows    [][]driver.Value
}

// record registers a recorder for a DSN until the test ends.
func record(h interface{ Cleanup(func()) }, dsn string, open func(string) (driver.Conn, error)) *recorder {
	r := &recorder{open: open}
	recorders.mu.Lock()
	defer recorders.mu.Unlock()
	recorders.byDSN[dsn] = r
	h.Cleanup(func() {
		recorders.mu.Lock()
		defer recorders.mu.Unlock()
		delete(recorders.byDSN, dsn)
	})
	return r
}

func (r *recorder) add(c call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
}

// take returns what has been recorded since the last take.
func (r *recorder) take() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = nil
	return calls
}

type recordingConn struct {
	inner    driver.Conn
	recorder *recorder
	aside    aside
}

func (c *recordingConn) Prepare(query string) (driver.Stmt, error) {
	c.recorder.add(call{what: "PREPARE " + query})
	inner, err := c.inner.Prepare(query)
	if err != nil {
		return nil, err
	}
	return &recordingStmt{Stmt: inner, recorder: c.recorder, query: query}, nil
}

// Close counts. go-sqlmock's one connection stands for all and stays open.
func (c *recordingConn) Close() error {
	c.recorder.closed.Add(1)
	return c.aside.close()
}

func (c *recordingConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

func (c *recordingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.recorder.aside != nil {
		return c.beginLater(ctx, opts), nil
	}
	return c.begin(ctx, opts)
}

func (c *recordingConn) begin(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.inner.(driver.ConnBeginTx).BeginTx(ctx, opts)
	c.recorder.add(call{what: "BEGIN"})
	return &recordingTx{inner: tx, recorder: c.recorder}, err
}

func (c *recordingConn) CheckNamedValue(nv *driver.NamedValue) error {
	return c.inner.(driver.NamedValueChecker).CheckNamedValue(nv)
}

func (c *recordingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if side, err := c.sideFor(query); side != nil || err != nil {
		return execOn(ctx, side, err, query, args)
	}
	c.recorder.add(call{what: query, args: values(args)})
	return c.inner.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c *recordingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if side, err := c.sideFor(query); side != nil || err != nil {
		return queryOn(ctx, side, err, query, args)
	}
	rows, err := c.inner.(driver.QueryerContext).QueryContext(ctx, query, args)
	return c.recorder.answered(query, values(args), rows, err)
}

// answered records a query, as soon as its rows are closed if there are any.
func (r *recorder) answered(query string, args []driver.Value, rows driver.Rows, err error) (driver.Rows, error) {
	c := call{what: query, args: args}
	if err != nil {
		r.add(c)
		return nil, err
	}
	c.columns = rows.Columns()
	return &recordingRows{Rows: rows, recorder: r, call: c}, nil
}

type recordingStmt struct {
	driver.Stmt
	recorder *recorder
	query    string
}

func (s *recordingStmt) Exec(args []driver.Value) (driver.Result, error) {
	s.recorder.add(call{what: s.query, args: args})
	return s.Stmt.Exec(args) //nolint:staticcheck // the oldest way is one that every driver has
}

func (s *recordingStmt) Query(args []driver.Value) (driver.Rows, error) {
	rows, err := s.Stmt.Query(args) //nolint:staticcheck // as above
	return s.recorder.answered(s.query, args, rows, err)
}

func values(args []driver.NamedValue) (list []driver.Value) {
	for _, a := range args {
		list = append(list, a.Value)
	}
	return list
}

type recordingTx struct {
	inner    driver.Tx
	recorder *recorder
}

func (t *recordingTx) Commit() error {
	t.recorder.add(call{what: "COMMIT"})
	return t.inner.Commit()
}

func (t *recordingTx) Rollback() error {
	t.recorder.add(call{what: "ROLLBACK"})
	return t.inner.Rollback()
}

// recordingRows record the query when they are closed.
type recordingRows struct {
	driver.Rows
	recorder *recorder
	call     call
}

func (r *recordingRows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if err == nil {
		row := make([]driver.Value, len(dest))
		for i, v := range dest {
			if b, ok := v.([]byte); ok {
				v = append([]byte(nil), b...)
			}
			row[i] = v
		}
		r.call.rows = append(r.call.rows, row)
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return err
}

func (r *recordingRows) Close() error {
	r.recorder.add(r.call)
	return r.Rows.Close()
}
