package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/rewrite"
)

// readers are the engine's own real connections for look-ups, with the
// statements prepared on them.
type readers struct {
	mu     sync.Mutex
	idle   []*reader
	closed bool
}

// reader is one of them; it is used by one look-up at a time.
type reader struct {
	conn  driver.Conn
	stmts map[*catalog.Relation]driver.Stmt
}

func newReader(conn driver.Conn) *reader {
	return &reader{conn: conn, stmts: make(map[*catalog.Relation]driver.Stmt)}
}

const (
	maxIdleReaders = 2   // how many are kept
	maxReaderStmts = 256 // statements prepared on one
)

var errOtherSession = errors.New("the session of the look-ups is not like those of the application")

// get returns a reader; used tells whether it had been idle.
func (p *readers) get(ctx context.Context, e *engine) (r *reader, used bool, err error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		r = p.idle[n-1]
		p.idle = p.idle[:n-1]
	}
	p.mu.Unlock()
	if r != nil {
		return r, true, nil
	}
	conn, err := e.backend.Connect(ctx)
	if err != nil {
		return nil, false, err
	}
	r = newReader(conn)
	session, err := catalog.ReadSession(ctx, conn)
	if err == nil && session.Class() != e.session.Class() {
		err = errOtherSession
	}
	if err != nil {
		r.close()
		return nil, false, err
	}
	return r, false, nil
}

func (p *readers) put(r *reader) {
	p.mu.Lock()
	// One that has seen many versions of the schema keeps statements for each.
	if !p.closed && len(p.idle) < maxIdleReaders && len(r.stmts) < maxReaderStmts {
		p.idle = append(p.idle, r)
		r = nil
	}
	p.mu.Unlock()
	if r != nil {
		r.close()
	}
}

func (p *readers) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.idle {
		r.close()
	}
	p.idle, p.closed = nil, true
}

func (r *reader) close() { closeQuietly(r.conn) }

// read runs the query of a batch.
func (r *reader) read(ctx context.Context, e *engine, b *lookupBatch, args []driver.NamedValue) error {
	rows, err := r.query(ctx, e, b.table.rel, args)
	if err != nil {
		return err
	}
	err = b.collect(e, rows)
	return errors.Join(err, rows.Close())
}

func (r *reader) query(ctx context.Context, e *engine, rel *catalog.Relation, args []driver.NamedValue) (driver.Rows, error) {
	if e.values.BinaryParameters || e.values.Strict {
		// One round trip as it is, and a pooler that shares sessions between
		// transactions may stand behind it, where prepared statements get lost.
		// Another driver than lib/pq knows itself how it is to be done.
		return queryAnyhow(ctx, r.conn, rewrite.Lookup(rel), args)
	}
	stmt := r.stmts[rel]
	if stmt == nil {
		var err error
		if stmt, err = prepareReal(ctx, r.conn, rewrite.Lookup(rel)); err != nil {
			return nil, err
		}
		r.stmts[rel] = stmt
	}
	return (&Stmt{real: stmt}).queryReal(ctx, args)
}
