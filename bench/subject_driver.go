package main

import (
	"context"
	"database/sql"
	"fmt"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx, which keeps prepared statements
	_ "github.com/lib/pq"              // the driver postgres, which writebehind stands in front of
)

// driverClient is a driver of database/sql.
type driverClient struct{ db *sql.DB }

// openDriver opens a driver that has a DSN.
func openDriver(driver string, params ...string) func(context.Context, place) (client, error) {
	return func(_ context.Context, at place) (client, error) {
		db, err := sql.Open(driver, at.dsn(params...))
		return driverClient{db}, err
	}
}

func (c driverClient) DB() *sql.DB                  { return c.db }
func (c driverClient) Table(name string) rows       { return newSQLRows(c.db, name, "") }
func (c driverClient) Caches() bool                 { return false }
func (c driverClient) Settle(context.Context) error { return nil }
func (c driverClient) Close() error                 { return c.db.Close() }

// The statements by primary key; %s is the table.
const (
	selectByKey = `SELECT name, price, n FROM %s WHERE id = $1`
	setByKey    = `UPDATE %s SET price = $2 WHERE id = $1`
	addByKey    = `UPDATE %s SET n = n + $2 WHERE id = $1`
)

// sqlRows are rows by statements of SQL.
type sqlRows struct {
	db             *sql.DB
	read, set, add string
}

// newSQLRows makes statements that begin with prefix.
func newSQLRows(db *sql.DB, table, prefix string) sqlRows {
	return sqlRows{
		db:   db,
		read: prefix + fmt.Sprintf(selectByKey, table),
		set:  prefix + fmt.Sprintf(setByKey, table),
		add:  prefix + fmt.Sprintf(addByKey, table),
	}
}

func (r sqlRows) Read(ctx context.Context, key int64) error { return readRow(ctx, r.db, r.read, key) }
func (r sqlRows) Set(ctx context.Context, key, price int64) error {
	return writeRow(ctx, r.db, r.set, key, price)
}
func (r sqlRows) Add(ctx context.Context, key, n int64) error {
	return writeRow(ctx, r.db, r.add, key, n)
}

// executor is a database or a transaction.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func readRow(ctx context.Context, db *sql.DB, query string, key int64) error {
	var name string
	var price, n int64
	return db.QueryRowContext(ctx, query, key).Scan(&name, &price, &n)
}

// writeRow fails unless exactly one row was affected.
func writeRow(ctx context.Context, db executor, query string, args ...any) error {
	r, err := db.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n != 1 {
		err = fmt.Errorf("%d rows affected, not 1", n)
	}
	return err
}
