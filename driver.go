package writebehind

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"sync"

	"github.com/writebehind/writebehind/internal/catalog"
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
	engine *engine // nil until a statement needs it
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
		conn.attach(c.engine)
	}
	return conn, nil
}

// engage attaches the connection to the engine of its database, which is
// started if this is the first statement that needs one.
func (c *Connector) engage(ctx context.Context, conn *Conn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if c.engine == nil {
		if err := conn.dial(ctx); err != nil {
			return err
		}
		session, err := catalog.ReadSession(ctx, conn.real)
		if err != nil {
			return err
		}
		if c.engine, err = engines.acquire(ctx, c, session, conn.real); err != nil {
			return err
		}
	}
	conn.attach(c.engine)
	return nil
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
