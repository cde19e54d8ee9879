package queue

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// server is as much of a PostgreSQL as the flusher needs: it knows the
// statements of the queue's shapes, primary keys, and transactions with one
// savepoint. Tests bend it through its hooks.
type server struct {
	mu       sync.Mutex
	queue    *Queue // whose shapes it understands; set once the queue is open
	rows     map[string]row
	letters  []string // dead letters: LSN, table and SQLSTATE
	at       int64    // the checkpoint
	executed []string // what was done, in words, transaction control included

	// hook, if set, is called before a statement and may fail it. The words are
	// those of executed.
	hook func(ctx context.Context, words string) error
	// commit, if set, decides about a COMMIT: whether it is carried out, and what
	// the client hears.
	commit func() (done bool, err error)
}

// row is the values of a row, by column, in text form.
type row []string

// pgError is a server's error: its SQLSTATE.
type pgError string

func (e pgError) Error() string    { return "fake: SQLSTATE " + string(e) }
func (e pgError) SQLState() string { return string(e) }

// errLost is what a client hears when the connection breaks.
var errLost = errors.New("fake: connection reset")

func newServer() *server {
	return &server{rows: make(map[string]row)}
}

// bend changes the hooks.
func (s *server) bend(f func(*server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// table returns the rows of a table by the text of their keys.
func (s *server) table(name string) map[string]row {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := make(map[string]row)
	for key, r := range s.rows {
		if rest, ok := strings.CutPrefix(key, name+" "); ok {
			rows[rest] = r
		}
	}
	return rows
}

// did returns what was done since the last call. Without control it leaves out
// what only begins, guards or ends a transaction.
func (s *server) did(control bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.executed
	s.executed = nil
	if control {
		return all
	}
	return slices.DeleteFunc(all, func(words string) bool { return !strings.Contains(words, " ") })
}

// Connect and Driver make the server a driver.Connector.
func (s *server) Connect(ctx context.Context) (driver.Conn, error) {
	if err := s.enter(ctx, "connect"); err != nil {
		return nil, err
	}
	return &session{server: s}, nil
}

func (s *server) Driver() driver.Driver { return nil }

// enter notes a statement and lets the hook fail it.
func (s *server) enter(ctx context.Context, words string) error {
	s.mu.Lock()
	s.executed = append(s.executed, words)
	hook := s.hook
	s.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(ctx, words)
}

// session is a connection. Its transaction works on a copy of the rows.
type session struct {
	server  *server
	rows    map[string]row
	saved   map[string]row
	letters []string
	at      int64
}

func (c *session) Prepare(string) (driver.Stmt, error) { return nil, errors.New("fake: no statements") }
func (c *session) Begin() (driver.Tx, error)           { return nil, errors.New("fake: no context") }
func (c *session) Close() error                        { return nil }

func (c *session) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	if err := c.server.enter(ctx, "begin"); err != nil {
		return nil, err
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	c.rows, c.letters, c.at = maps.Clone(s.rows), slices.Clone(s.letters), s.at
	return c, nil
}

func (c *session) Commit() error {
	s := c.server
	s.mu.Lock()
	decide := s.commit
	s.mu.Unlock()
	if err := s.enter(context.Background(), "commit"); err != nil {
		return err
	}
	done, err := true, error(nil)
	if decide != nil {
		done, err = decide()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if done {
		s.rows, s.letters, s.at = c.rows, c.letters, c.at
	}
	return err
}

func (c *session) Rollback() error {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.executed = append(s.executed, "rollback")
	return nil
}

func (c *session) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s := c.server
	switch query {
	case begin:
		if err := s.enter(ctx, "settings"); err != nil {
			return nil, err
		}
		return &answer{row: []driver.Value{"on", "60000", "10000", "ISO", "pg_catalog", "", ""}}, nil
	case readCheckpoint:
	default:
		affected, off, err := c.write(ctx, query, args)
		if err != nil {
			return nil, err
		}
		return &answer{row: []driver.Value{affected, off}}, nil
	}
	if err := s.enter(ctx, "look"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return &answer{row: []driver.Value{s.at, false}}, nil
}

func (c *session) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	switch {
	case query == moveCheckpointSQL:
		if err := c.server.enter(ctx, "checkpoint"); err != nil {
			return nil, err
		}
		if c.at != args[1].Value.(int64) {
			return driver.RowsAffected(0), nil
		}
		c.at = args[2].Value.(int64)
		return driver.RowsAffected(1), nil
	case query == insertLetter:
		c.letters = append(c.letters, fmt.Sprintf("%d %s %s", args[1].Value, args[4].Value, args[10].Value))
		return driver.RowsAffected(1), c.server.enter(ctx, "letter")
	case strings.HasPrefix(query, "SAVEPOINT"):
		c.saved = maps.Clone(c.rows)
		return driver.RowsAffected(0), c.server.enter(ctx, "savepoint")
	case strings.HasPrefix(query, "ROLLBACK TO"):
		c.rows = c.saved
		return driver.RowsAffected(0), c.server.enter(ctx, "restore")
	case strings.HasPrefix(query, "RELEASE"):
		return driver.RowsAffected(0), c.server.enter(ctx, "release")
	case strings.HasPrefix(query, "SET CONSTRAINTS"):
		return driver.RowsAffected(0), c.server.enter(ctx, "constraints")
	}
	affected, _, err := c.write(ctx, query, args)
	return driver.RowsAffected(affected), err
}

// write does what a shape's statement says. off, if not nil, are the numbers of
// the rows that did not become what was expected of them.
func (c *session) write(ctx context.Context, query string, args []driver.NamedValue) (affected int64, off driver.Value, err error) {
	shape := c.server.shape(query)
	columns := make([][]string, len(args))
	for i, a := range args {
		columns[i] = elements(a.Value.(string))
	}
	keys := make([]string, len(columns[0]))
	for i := range keys {
		for j, column := range shape.params {
			if slices.Contains(shape.Table.Key, column) {
				keys[i] += columns[j][i]
			}
		}
	}
	words := fmt.Sprintf("%s %s %s", shape.Kind, shape.Table.Name.Name, strings.Join(keys, ","))
	if err := c.server.enter(ctx, words); err != nil {
		return 0, nil, err
	}
	var numbers []string
	for i, key := range keys {
		values := make(map[int]string)
		for j, column := range shape.params {
			values[column] = columns[j][i]
		}
		key = shape.Table.Name.Name + " " + key
		n, err := c.apply(shape, key, values)
		if err != nil {
			return 0, nil, err
		}
		affected += int64(n)
		if shape.deltas() > 0 && slices.ContainsFunc(shape.Add, func(column int) bool { return n == 1 && c.rows[key][column] != values[column] }) {
			numbers = append(numbers, strconv.Itoa(i+1))
		}
	}
	if numbers != nil {
		off = strings.Join(numbers, ",")
	}
	return affected, off, nil
}

// apply does to one row what the shape's statement says.
func (c *session) apply(shape *Shape, key string, values map[int]string) (affected int, err error) {
	old, there := c.rows[key]
	whole := func() row {
		r := make(row, len(shape.Table.Columns))
		for column, v := range values {
			r[column] = v
		}
		return r
	}
	set := shape.Set
	switch shape.Kind {
	case Delete:
		delete(c.rows, key)
		if there {
			return 1, nil
		}
		return 0, nil
	case Insert:
		if there {
			return 0, pgError("23505")
		}
		c.rows[key] = whole()
		return 1, nil
	case Upsert, Replace:
		if !there {
			c.rows[key] = whole()
			return 1, nil
		}
		if shape.Kind == Replace {
			set = slices.DeleteFunc(shape.all(), func(column int) bool { return slices.Contains(shape.Table.Key, column) })
		}
		if len(set)+len(shape.Add) == 0 {
			return 0, nil
		}
	}
	if !there {
		return 0, nil
	}
	changed := slices.Clone(old)
	for _, column := range set {
		changed[column] = values[column]
	}
	for i, column := range shape.Add {
		delta := values[column]
		if shape.Kind == Update {
			delta = values[len(shape.Table.Columns)+i]
		}
		changed[column] = sum(changed[column], delta)
	}
	c.rows[key] = changed
	return 1, nil
}

// shape returns the shape a statement belongs to.
func (s *server) shape(query string) *Shape {
	shapes := &s.queue.shapes
	shapes.mu.RLock()
	defer shapes.mu.RUnlock()
	for _, shape := range shapes.byID {
		if shape.sql == query && shape.Kind != Nothing {
			return shape
		}
	}
	panic("fake: no shape has the statement " + query)
}

// elements reads the text of an array whose elements need no quotes.
func elements(array string) []string {
	array = strings.TrimSuffix(strings.TrimPrefix(array, "{"), "}")
	return strings.Split(array, ",")
}

// answer is one row.
type answer struct{ row []driver.Value }

func (a *answer) Columns() []string { return make([]string, len(a.row)) }
func (a *answer) Close() error      { return nil }

func (a *answer) Next(dest []driver.Value) error {
	if a.row == nil {
		return io.EOF
	}
	copy(dest, a.row)
	a.row = nil
	return nil
}

// sum adds integers, and keeps to 64 bits.
func sum(a, b string) string {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX != nil || errY != nil {
		panic("fake: no integers: " + a + " " + b)
	}
	return strconv.FormatInt(x+y, 10)
}
