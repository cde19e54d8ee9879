package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/writebehind/writebehind/examples/storefront/shop"
)

// side is one of the runs: a schema of its own on the server, and the
// driver and DSN through which the shop reaches it.
type side struct {
	name     string // for people
	driver   string
	schema   string
	plain    string // DSN for the driver postgres
	dsn      string // DSN for the side's own driver
	products []shop.Product
	// checkOuts is the share of orders in a transaction, in percent.
	checkOuts int
	settle    func(context.Context, *sql.DB, *result) error // before the database is closed
}

// newSide creates the schema and fills it with products. The token makes names that
// no other side uses.
func newSide(ctx context.Context, admin *sql.DB, dsn, driver, token string, products int, params ...param) (*side, error) {
	s := &side{name: driver, driver: driver, schema: "storefront_" + token}
	var err error
	if s.plain, err = withParams(dsn, param{"search_path", s.schema}, param{"application_name", s.schema}); err != nil {
		return nil, err
	}
	if s.dsn, err = withParams(s.plain, params...); err != nil {
		return nil, err
	}
	if _, err := admin.ExecContext(ctx, "CREATE SCHEMA "+s.schema); err != nil {
		return nil, fmt.Errorf("create schema %s: %w", s.schema, err)
	}
	if err := s.fill(ctx, products); err != nil {
		return nil, errors.Join(fmt.Errorf("fill schema %s: %w", s.schema, err), s.drop(ctx, admin))
	}
	return s, nil
}

func (s *side) fill(ctx context.Context, products int) (err error) {
	db, err := sql.Open("postgres", s.plain)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s.products, err = shop.Open(ctx, db, products)
	return err
}

// drop removes the side's schema and nothing else.
func (s *side) drop(ctx context.Context, admin *sql.DB) error {
	if _, err := admin.ExecContext(context.WithoutCancel(ctx), "DROP SCHEMA "+s.schema+" CASCADE"); err != nil {
		return fmt.Errorf("drop schema %s: %w", s.schema, err)
	}
	return nil
}

// rush runs the shop on the side's driver for the given time, drains, and
// closes the database. The shoppers' ledgers tell what was acknowledged.
func (s *side) rush(ctx context.Context, admin *sql.DB, shoppers int, d time.Duration, bar progress) (*result, []*shop.Ledger, error) {
	before, err := s.commits(ctx, admin)
	if err != nil {
		return nil, nil, err
	}
	db, err := sql.Open(s.driver, s.dsn)
	if err != nil {
		return nil, nil, err
	}
	if err := connectAll(ctx, db, min(shoppers, maxConns)); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}

	start := time.Now()
	crowd := make([]*visitor, shoppers)
	for i := range crowd {
		crowd[i] = newVisitor(shop.Shop{DB: db}, int64(i+1), len(s.products), s.checkOuts, start)
	}
	bar.label, bar.total = s.name, d
	bar.done = func() (n int64) {
		for _, c := range crowd {
			n += c.done.Load()
		}
		return n
	}
	stop := bar.start()
	r := &result{name: s.name}
	err = rush(ctx, crowd, start.Add(d))
	r.elapsed = time.Since(start)
	stop()

	drain := time.Now()
	if err == nil && s.settle != nil {
		err = s.settle(ctx, db, r)
	}
	err = errors.Join(err, db.Close())
	r.drain = time.Since(drain)
	if err != nil {
		return nil, nil, err
	}
	ledgers := make([]*shop.Ledger, len(crowd))
	for i, c := range crowd {
		ledgers[i] = c.shopper.Ledger
		for k := range c.latency {
			r.latency[k].Merge(&c.latency[k])
		}
	}
	after, err := s.commits(ctx, admin)
	r.commits = after - before
	return r, ledgers, err
}

// verify compares what the tables hold, as the plain driver sees them, with
// what was acknowledged.
func (s *side) verify(ctx context.Context, ledgers []*shop.Ledger) (wrong []string, err error) {
	db, err := sql.Open("postgres", s.plain)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	found, err := shop.ReadContents(ctx, db)
	if err != nil {
		return nil, err
	}
	return shop.Verify(s.products, ledgers, found), nil
}

// maxConns bounds the connections of a side. A server accepts 100 by default.
const maxConns = 64

// connectAll lets db keep n connections and opens them, so that dialling is no
// part of what is measured.
func connectAll(ctx context.Context, db *sql.DB, n int) error {
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	conns := make([]*sql.Conn, 0, n)
	var err error
	for len(conns) < n && err == nil {
		var c *sql.Conn
		if c, err = db.Conn(ctx); err == nil {
			conns = append(conns, c)
			err = c.PingContext(ctx)
		}
	}
	for _, c := range conns {
		err = errors.Join(err, c.Close())
	}
	return err
}

// commits returns how many transactions the server has committed in the
// database. A backend reports at the latest when it ends (PostgreSQL
// documentation, "The Cumulative Statistics System"), so the side's backends
// are waited for.
func (s *side) commits(ctx context.Context, admin *sql.DB) (n int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for live := 1; live > 0; {
		err := admin.QueryRowContext(ctx,
			`SELECT count(*) FROM pg_stat_activity WHERE application_name = $1`, s.schema).Scan(&live)
		if err != nil {
			return 0, fmt.Errorf("wait for the backends of %s: %w", s.schema, err)
		}
		if live == 0 {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	err = admin.QueryRowContext(ctx,
		`SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("read pg_stat_database: %w", err)
	}
	return n, nil
}
