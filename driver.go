package writebehind

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"sync"
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
}

// WithLogger sends log records of the engine to logger. Of several connectors
// to one database the first decides. Default: slog.Default().
func WithLogger(logger *slog.Logger) Option {
	return func(o *options) { o.logger = logger }
}

// Connector makes connections for one DSN. It is safe for concurrent use.
type Connector struct {
	settings settings
	options  options
	backend  *backend

	mu     sync.Mutex
	engine *engine // nil until the first connection, and without opted-in tables
	closed bool
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

// Connect returns a connection. The real connection behind it is made now if no
// table is opted in, or if it is the first one, which has to find out which
// database the DSN leads to; otherwise when something needs it.
func (c *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	if !c.settings.optsIn() {
		real, err := c.backend.dial(ctx)
		if err != nil {
			return nil, err
		}
		return &Conn{connector: c, real: real}, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	if c.engine != nil {
		return c.engine.newConn(c), nil
	}
	real, session, err := c.backend.dialSession(ctx)
	if err != nil {
		return nil, err
	}
	e, err := engines.acquire(ctx, c, session, real)
	if err != nil {
		real.Close()
		return nil, err
	}
	c.engine = e
	conn := e.newConn(c)
	conn.adopt(real, session)
	return conn, nil
}

// Close gives up the connector's share of the engine. The last one to do so
// drains what is pending, within writebehind.close_timeout, and returns an
// error with the number of rows that are left if that is not enough. sql.DB
// calls it at its own Close.
func (c *Connector) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	if c.engine == nil {
		return nil
	}
	return engines.release(c.engine)
}
