package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	_ "github.com/lib/pq" // past the shim

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/examples/storefront/shop"
	"github.com/writebehind/writebehind/internal/crash/proxy"
	"github.com/writebehind/writebehind/internal/pgtest"
)

const (
	database = "soak"
	// application is what the server calls the connections that come through the
	// shim, the shim's own included.
	application = "soak-shim"
)

// place is where it happens: a server, a proxy before it, and ways to it.
type place struct {
	server   *pgtest.Server
	proxy    *proxy.Proxy
	temp     string         // directory of the journal and of the orders' book
	shop     *sql.DB        // the load's, through the shim and the proxy
	window   *sql.DB        // the same with one connection of its own, for looking at the shim
	past     *sql.DB        // past both
	products []shop.Product // on the shelves at the start
}

func newPlace(ctx context.Context, o options) (*place, error) {
	p := new(place)
	if err := p.open(ctx, o); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// open makes it. What there is when it fails, the caller closes.
func (p *place) open(ctx context.Context, o options) (err error) {
	if p.server, err = pgtest.Start(ctx); err != nil {
		return err
	}
	if p.server.External() {
		return pgtest.ErrExternal // it must be killed
	}
	if err := p.server.AddDatabase(ctx, database); err != nil {
		return err
	}
	if p.proxy, err = proxy.Start(ctx, "127.0.0.1:"+strconv.Itoa(p.server.Port())); err != nil {
		return err
	}
	if p.temp, err = os.MkdirTemp("", "writebehind-soak-"); err != nil {
		return err
	}
	if err := p.fill(ctx, o.products); err != nil {
		return err
	}
	return p.openShim(ctx, o.shoppers)
}

// fill makes the tables.
func (p *place) fill(ctx context.Context, products int) (err error) {
	p.past, err = sql.Open("postgres", p.server.DSN(database, "application_name=soak-past", "connect_timeout=2"))
	if err != nil {
		return err
	}
	p.past.SetMaxIdleConns(0) // the server is killed beneath them
	if p.products, err = shop.Open(ctx, p.past, products); err != nil {
		return err
	}
	_, err = p.past.ExecContext(ctx, ballastSchema)
	return err
}

func (p *place) openShim(ctx context.Context, conns int) (err error) {
	if p.shop, err = sql.Open("writebehind", p.dsn()); err != nil {
		return err
	}
	p.shop.SetMaxOpenConns(conns + 1) // the ballast, too
	p.shop.SetMaxIdleConns(conns + 1)
	// A fault leaves dead connections in the pool, and each costs the first
	// statement that goes to the server on it. Deferred ones do not: without this
	// the pool could keep a dead connection in use until long after the fault.
	p.shop.SetConnMaxLifetime(connLifetime)
	if p.window, err = sql.Open("writebehind", p.dsn()); err != nil {
		return err
	}
	p.window.SetMaxOpenConns(1)
	return errors.Join(p.shop.PingContext(ctx), p.window.PingContext(ctx))
}

func (p *place) dsn() string {
	return p.server.DSN(database,
		"host=127.0.0.1",
		"port="+strconv.Itoa(p.proxy.Port()),
		"sslmode=disable",
		"connect_timeout=5",
		"application_name="+application,
		"writebehind.tables=products,cart_items,orders,order_lines,ballast",
		"writebehind.insert.orders=trust", // their keys are random
		"writebehind.insert.order_lines=trust",
		"writebehind.journal="+filepath.Join(p.temp, "journal"),
		"writebehind.sync=on",
		"writebehind.max_delay=20ms",
		// As little as may be, so that it is full when the warm-up is over.
		"writebehind.cache_size=1MB",
		"writebehind.close_timeout=60s",
	)
}

// heal ends every fault.
func (p *place) heal(ctx context.Context) error {
	p.proxy.Up()
	return errors.Join(p.server.Start(ctx), p.server.Resume(), p.proxy.Listen(ctx))
}

// drain brings all that was acknowledged to PostgreSQL and takes the shim down.
func (p *place) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := writebehind.Flush(ctx, p.shop)
	for err != nil && pause(ctx, time.Second) == nil {
		err = writebehind.Flush(ctx, p.shop) // the last fault may have left something in its way
	}
	return errors.Join(err, p.closeShim())
}

// closeShim closes what leads through the shim. That a connection which a fault
// has cut cannot be closed in order is no error.
func (p *place) closeShim() (err error) {
	for _, db := range []*sql.DB{p.window, p.shop} {
		if db == nil {
			continue
		}
		if closing := db.Close(); errors.Is(closing, writebehind.ErrPending) {
			err = errors.Join(err, closing)
		}
	}
	p.shop, p.window = nil, nil
	return err
}

func (p *place) close() error {
	err := p.closeShim()
	if p.past != nil {
		err = errors.Join(err, p.past.Close())
	}
	if p.proxy != nil {
		err = errors.Join(err, p.proxy.Close())
	}
	if p.server != nil {
		err = errors.Join(err, p.server.Close())
	}
	if p.temp != "" {
		err = errors.Join(err, os.RemoveAll(p.temp))
	}
	return err
}
