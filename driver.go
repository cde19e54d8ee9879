package writebehind

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/queue/journal"
)

var (
	_ driver.Driver        = (*Driver)(nil)
	_ driver.DriverContext = (*Driver)(nil)
	_ driver.Connector     = (*Connector)(nil)
)

func init() {
	sql.Register("writebehind", &Driver{})
	// Libraries that pick the SQL dialect by the prefix of the driver name find
	// theirs under this one.
	sql.Register("postgres-writebehind", &Driver{})
}

// Driver is the database/sql driver, registered as "writebehind" and as
// "postgres-writebehind".
type Driver struct{}

// Open opens one connection. database/sql uses OpenConnector instead.
func (d *Driver) Open(dsn string) (driver.Conn, error) {
	connector, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return connector.Connect(context.Background())
}

// OpenConnector checks the parameters of the shim in dsn and returns a
// connector. What the rest of dsn says is the real driver's to judge, when the
// first connection is made.
func (d *Driver) OpenConnector(dsn string) (driver.Connector, error) {
	return NewConnector(dsn)
}

// Option is a setting of NewConnector that a DSN cannot carry.
type Option func(*options)

type options struct {
	logger *slog.Logger
	letter func(DeadLetter)
	fs     journal.FS
}

// WithLogger sends log records of the engine to logger. Of several connectors
// to one database the first decides. Default: slog.Default().
func WithLogger(logger *slog.Logger) Option {
	return func(o *options) { o.logger = logger }
}

// WithDeadLetterHandler has handle called for every row of a group that
// PostgreSQL has refused for good, once its dead letter is committed. It is called
// by the goroutine that flushes, which waits for it. Of several connectors to one
// database the first decides. Default: none; dead letters are logged and counted.
func WithDeadLetterHandler(handle func(DeadLetter)) Option {
	return func(o *options) { o.letter = handle }
}

// WithJournalFS has the journal keep its files in fs, so that a test can see what
// a full, failing or powerless disk does to an application; package
// queue/journal/journaltest has such file systems. Of several connectors to one
// database the first decides. Default: the operating system.
func WithJournalFS(fs journal.FS) Option {
	return func(o *options) { o.fs = fs }
}

// Connector makes connections for one DSN. It is safe for concurrent use.
type Connector struct {
	settings settings
	options  options
	backend  *backend

	mu       sync.Mutex
	engine   *engine // nil until a statement needs it
	foreign  string  // why its sessions are not like those of the engine's first connector
	opaque   string  // why the names in a statement may not be what they seem
	limits   string  // of its sessions, see catalog.Session
	starting *start  // nil unless the engine is being started
	closed   bool
}

// NewConnector returns a connector for sql.OpenDB. It fails if a writebehind
// parameter of dsn is unknown or malformed, and if the real driver is not
// registered; no connection is made.
func NewConnector(dsn string, opts ...Option) (*Connector, error) {
	s, rest, err := parseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("writebehind: %w", err)
	}
	b, err := newBackend(s.driver, rest)
	if err != nil {
		return nil, fmt.Errorf("writebehind: %w", err)
	}
	c := &Connector{settings: s, backend: b}
	for _, o := range opts {
		o(&c.options)
	}
	if c.options.logger == nil {
		c.options.logger = slog.Default()
	}
	return c, nil
}

// Driver returns the driver of the connector.
func (c *Connector) Driver() driver.Driver { return &Driver{} }

// Connect returns a connection. If no table is opted in, it is the real
// driver's; otherwise the real connection is made when something needs it.
func (c *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn := &Conn{connector: c}
	if !c.settings.optsIn() {
		if err := conn.dial(ctx); err != nil {
			return nil, err
		}
		return conn, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	if c.engine != nil {
		conn.attach(c)
	}
	return conn, nil
}

// engage attaches the connection to the engine of its database. The first call
// starts the engine, on a connection of its own and for all who need it: what is
// left of one caller's time does not matter to the others.
func (c *Connector) engage(ctx context.Context, conn *Conn) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	if c.engine != nil {
		conn.attach(c)
		c.mu.Unlock()
		return nil
	}
	if c.starting == nil {
		c.starting = &start{done: make(chan struct{})}
		go c.start(context.WithoutCancel(ctx), c.starting)
	}
	starting := c.starting
	c.mu.Unlock()
	select {
	case <-starting.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if starting.err != nil {
		return starting.err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	conn.attach(c)
	return nil
}

// current returns the engine; nil if no statement has needed one.
func (c *Connector) current() *engine {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.engine
}

// start is the start of an engine that is under way.
type start struct {
	done chan struct{}
	err  error
}

func (c *Connector) start(ctx context.Context, s *start) {
	defer close(s.done)
	engine, session, err := c.acquire(ctx)
	var foreign string
	if err == nil {
		if foreign, err = engine.foreignness(c, session); err != nil {
			err = errors.Join(err, engines.release(engine))
		}
	}
	c.mu.Lock()
	c.starting = nil
	if closed := c.closed; err != nil || closed {
		c.mu.Unlock()
		if err == nil {
			err = errors.Join(ErrClosed, engines.release(engine))
		}
		s.err = err
		return
	}
	defer c.mu.Unlock()
	c.engine, c.foreign, c.limits = engine, foreign, session.Limits
	if !session.StandardConformingStrings {
		c.opaque = quotingOff
	}
}

// foreignness says why the sessions of a connector are not those for which the
// engine decides.
func (e *engine) foreignness(c *Connector, session catalog.Session) (string, error) {
	same, err := e.serves(session)
	switch {
	case err != nil:
		return "", fmt.Errorf("writebehind: which server it is: %w", err)
	case !same:
		return otherServer, nil
	case session.Class() != e.session.Class() || c.backend.binaryParameters() != e.values.BinaryParameters:
		return otherSession, nil
	case e.forms != nil && c.backend.dsn != e.backend.dsn:
		return otherForms, nil
	}
	return "", nil
}

const (
	otherSession = "the session's role or settings differ from those of the first connection"
	otherServer  = "it is not the server of the first connection, but one that runs on a copy of it"
	otherForms   = "its DSN is not that of the first connection, and may have the real driver return values in another form"
	quotingOff   = "standard_conforming_strings is off"
	unreadable   = "PostgreSQL does not tell the settings of the session"
)

func (c *Connector) acquire(ctx context.Context) (*engine, catalog.Session, error) {
	real, err := c.backend.dial(ctx)
	if err != nil {
		return nil, catalog.Session{}, err
	}
	session, err := catalog.ReadSession(ctx, real)
	if err != nil {
		closeQuietly(real)
		return nil, session, err
	}
	e, err := engines.acquire(ctx, c, session, real)
	return e, session, err
}

// Close gives up the connector's share of the engine. The last one to do so
// drains what is pending, within writebehind.close_timeout, and returns an
// error with the number of rows that are left if that is not enough. sql.DB
// calls it at its own Close.
func (c *Connector) Close() error {
	c.mu.Lock()
	closed, e := c.closed, c.engine
	c.closed, c.engine = true, nil
	c.mu.Unlock()
	if closed || e == nil {
		return nil
	}
	return engines.release(e)
}
