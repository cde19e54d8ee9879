package faulty

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/lib/pq"
)

// RegisterForgetfulOfCopies makes a driver known that remembers which queries have
// found no row, and forgets that at every write, end of a transaction, and whatever
// else is no plain query, but not at a COPY FROM STDIN.
func RegisterForgetfulOfCopies(name string) {
	sql.Register(name, &memory{absent: map[string]bool{}})
}

// memory is what the connections of that driver share.
type memory struct {
	mu     sync.Mutex
	absent map[string]bool
}

// Open implements driver.Driver.
func (m *memory) Open(dsn string) (driver.Conn, error) {
	m.forget()
	c, err := pq.Open(dsn)
	if err != nil {
		return nil, err
	}
	real, ok := c.(realConn)
	if !ok {
		return nil, fmt.Errorf("faulty: %T lacks an interface", c)
	}
	return &remembering{realConn: real, memory: m}, nil
}

func (m *memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.absent)
}

type remembering struct {
	realConn
	memory *memory
}

// plainQuery reports whether a text only reads.
func plainQuery(query string) bool {
	text := strings.ToUpper(query)
	return strings.HasPrefix(text, "SELECT") && !strings.Contains(text, " FOR ") && !strings.Contains(text, "NOW()") && !strings.Contains(text, "CURRENT")
}

func isCopy(query string) bool {
	return strings.HasPrefix(strings.ToUpper(query), "COPY") && strings.HasSuffix(strings.ToUpper(query), "STDIN")
}

func (c *remembering) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	defer c.memory.forget()
	return c.realConn.ExecContext(ctx, query, args)
}

// PrepareContext implements driver.ConnPrepareContext: whatever is prepared may write, but a COPY.
func (c *remembering) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	st, err := c.realConn.PrepareContext(ctx, query)
	if err == nil && !isCopy(query) {
		c.memory.forget()
		return &forgetting{st, c.memory}, nil
	}
	return st, err
}

func (c *remembering) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.realConn.BeginTx(ctx, opts)
	return ending{tx, c.memory}, err
}

// ending is a transaction whose end is one for what is remembered, too.
type ending struct {
	driver.Tx
	memory *memory
}

func (e ending) Commit() error {
	defer e.memory.forget()
	return e.Tx.Commit()
}

func (e ending) Rollback() error {
	defer e.memory.forget()
	return e.Tx.Rollback()
}

func (c *remembering) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if !plainQuery(query) {
		defer c.memory.forget()
		return c.realConn.QueryContext(ctx, query, args)
	}
	r, err := c.realConn.QueryContext(ctx, query, args)
	real, ok := r.(realRows)
	if err != nil || !ok {
		return r, err
	}
	return &sparse{realRows: real, memory: c.memory, key: fmt.Sprintf("%s %v", query, args)}, nil
}

// forgetting is a prepared statement that may write.
type forgetting struct {
	driver.Stmt
	memory *memory
}

func (s *forgetting) Close() error {
	defer s.memory.forget()
	return s.Stmt.Close()
}

func (s *forgetting) Exec(args []driver.Value) (driver.Result, error) {
	defer s.memory.forget()
	return s.Stmt.Exec(args) //nolint:staticcheck // lib/pq's statements serve both forms
}

func (s *forgetting) Query(args []driver.Value) (driver.Rows, error) {
	defer s.memory.forget()
	return s.Stmt.Query(args) //nolint:staticcheck // lib/pq's statements serve both forms
}

// sparse are rows of which there are none if there were none before.
type sparse struct {
	realRows
	memory *memory
	key    string
	any    bool
}

func (r *sparse) Next(dest []driver.Value) error {
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	if r.memory.absent[r.key] {
		return io.EOF
	}
	err := r.realRows.Next(dest)
	if err == io.EOF && !r.any {
		r.memory.absent[r.key] = true
	}
	r.any = true
	return err
}
