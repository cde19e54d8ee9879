package main

import (
	"context"
	"database/sql"
)

// onTable is what operations on one table have in common: its rows are there, and known
// to who keeps what was read, and in the end it holds what was acknowledged.
type onTable struct {
	about
	table string
	rows  int
}

func (o onTable) Setup(ctx context.Context, plain *sql.DB) error {
	return makeTable(ctx, plain, o.table, o.rows)
}

func (o onTable) Prepare(ctx context.Context, s *session, _ int) error {
	return warm(ctx, s, o.table, o.rows)
}

func (o onTable) Check(ctx context.Context, s *session) error { return s.checkModel(ctx, o.table) }
