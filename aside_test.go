package writebehind_test

import (
	"context"
	"database/sql/driver"
	"strings"
)

// aside is where a recording connection sends what concerns the schema
// writebehind alone: ownership and the making of a checkpoint go on by
// themselves, and no test says when. It is a real connection, of a recorder whose
// aside is set.
type aside struct {
	conn    driver.Conn
	pending func(driver.ConnBeginTx) (driver.Tx, error) // a transaction whose first statement will tell where it goes
	tx      driver.Tx                                   // open, here or there
	within  bool                                        // tx is aside
}

func (a *aside) close() error {
	if a.conn == nil {
		return nil
	}
	return a.conn.Close()
}

// beginLater begins a transaction when its first statement comes.
func (c *recordingConn) beginLater(ctx context.Context, opts driver.TxOptions) driver.Tx {
	c.aside.pending = func(conn driver.ConnBeginTx) (driver.Tx, error) { return conn.BeginTx(ctx, opts) }
	return &laterTx{c}
}

// sideFor returns the connection aside if that is where a statement goes.
func (c *recordingConn) sideFor(query string) (driver.Conn, error) {
	a := &c.aside
	if c.recorder.aside == nil || a.tx != nil && !a.within {
		return nil, nil //nolint:nilnil // it is to be recorded
	}
	own := strings.Contains(query, "writebehind") || strings.Contains(query, "pg_locks") || strings.Contains(query, "pg_advisory_xact_lock") && !strings.Contains(query, "application_name")
	if own && a.conn == nil {
		var err error
		if a.conn, err = c.recorder.aside(); err != nil {
			return nil, err
		}
	}
	if begin := a.pending; begin != nil {
		a.pending, a.within = nil, own
		var err error
		if own {
			a.tx, err = begin(a.conn.(driver.ConnBeginTx))
		} else {
			a.tx, err = begin(recordedBegin{c})
		}
		if err != nil {
			return nil, err
		}
	}
	if own || a.tx != nil && a.within {
		return a.conn, nil
	}
	return nil, nil //nolint:nilnil // it is to be recorded
}

// recordedBegin begins transactions on the connection that is recorded.
type recordedBegin struct{ *recordingConn }

func (b recordedBegin) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return b.begin(ctx, opts)
}

// laterTx is a transaction whose place is not known yet.
type laterTx struct{ conn *recordingConn }

func (t *laterTx) Commit() error   { return t.end(driver.Tx.Commit) }
func (t *laterTx) Rollback() error { return t.end(driver.Tx.Rollback) }

func (t *laterTx) end(how func(driver.Tx) error) error {
	a := &t.conn.aside
	if a.pending != nil { // without a statement it is the application's
		var err error
		if a.tx, err = a.pending(recordedBegin{t.conn}); err != nil {
			return err
		}
	}
	tx := a.tx
	a.tx, a.pending = nil, nil
	return how(tx)
}

func execOn(ctx context.Context, conn driver.Conn, err error, query string, args []driver.NamedValue) (driver.Result, error) {
	if err != nil {
		return nil, err
	}
	return conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func queryOn(ctx context.Context, conn driver.Conn, err error, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err != nil {
		return nil, err
	}
	return conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}
