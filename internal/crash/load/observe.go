package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/writebehind/writebehind/internal/crash/record"
)

// Observe reads all rows in one snapshot. The database should lead past the
// shim.
func Observe(ctx context.Context, db *sql.DB) (rows map[record.Key]record.State, err error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	rows = make(map[record.Key]record.State)
	for _, table := range []struct {
		query string
		scan  func(*sql.Rows) (record.Key, record.State, error)
	}{
		{"SELECT id, n, note FROM accounts", scanAccount},
		{"SELECT id, account, v FROM orders", scanOrder},
		{"SELECT id, worker, seq, v FROM events", scanEvent},
	} {
		if err := each(ctx, tx, table.query, func(r *sql.Rows) error {
			k, s, err := table.scan(r)
			rows[k] = s
			return err
		}); err != nil {
			return nil, fmt.Errorf("%s: %w", table.query, err)
		}
	}
	return rows, nil
}

func each(ctx context.Context, tx *sql.Tx, query string, scan func(*sql.Rows) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// unwritten is the stamp of a text that no operation writes; it equals none.
var unwritten = record.Stamp{Worker: -1}

func stampOf(text string) record.Stamp {
	if s, ok := record.ParseStamp(text); ok {
		return s
	}
	return unwritten
}

func scanAccount(rows *sql.Rows) (k record.Key, s record.State, err error) {
	var note string
	k.Table, s.Present = record.Accounts, true
	if err := rows.Scan(&k.ID, &s.N, &note); err != nil {
		return k, s, err
	}
	if k.Owner() < 0 {
		k.Table = record.Hot
		return k, s, nil
	}
	s.Stamp = stampOf(note)
	return k, s, nil
}

func scanOrder(rows *sql.Rows) (k record.Key, s record.State, err error) {
	var id, v string
	var account sql.NullInt64
	k.Table, s.Present = record.Orders, true
	if err := rows.Scan(&id, &account, &v); err != nil {
		return k, s, err
	}
	s.Ref, s.Stamp = account.Int64, stampOf(v)
	k.ID, err = record.ParseUUID(id)
	return k, s, err
}

func scanEvent(rows *sql.Rows) (k record.Key, s record.State, err error) {
	var v string
	k.Table, s.Present = record.Events, true
	if err := rows.Scan(&k.ID, &s.Stamp.Worker, &s.Stamp.Seq, &v); err != nil {
		return k, s, err
	}
	if k.Owner() < 0 {
		return record.Key{Table: record.Twin, ID: k.ID}, record.State{Present: true, N: s.Stamp.Seq}, nil
	}
	if stampOf(v) != s.Stamp {
		s.Stamp = unwritten // its columns are of several operations
	}
	return k, s, nil
}
