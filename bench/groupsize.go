package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/writebehind/writebehind/queue/journal"
)

// groupSize is how many bytes the benchmark's UPDATE of a row of hot takes in the
// journal, measured: by how much the used part of its segments grows.
func groupSize(ctx context.Context, at place) (size int, err error) {
	dir := filepath.Join(at.dir, "measured")
	params := append([]string{"writebehind.tables=hot", cache, "writebehind.sync=off", "writebehind.journal=" + dir}, held...)
	db, err := sql.Open("writebehind", at.dsn(params...))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close(), os.RemoveAll(dir)) }()
	var rows int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM hot`).Scan(&rows); err != nil {
		return 0, err
	}
	const groups = 1000
	r := newSQLRows(db, "hot", "")
	var used [2]int64
	for n := range used {
		for i := range int64(groups) {
			if err := r.Set(ctx, own(0, 1, i, rows), int64(n+1)<<32+i); err != nil {
				return 0, err
			}
		}
		if used[n], err = journalUsed(dir); err != nil {
			return 0, err
		}
	}
	if size = int(used[1]-used[0]) / groups; size <= 0 {
		return 0, fmt.Errorf("the journal grew from %d bytes to %d with %d groups", used[0], used[1], groups)
	}
	return size, nil
}

// journalUsed is how many bytes the journals in a directory hold.
func journalUsed(dir string) (n int64, err error) {
	reports, err := journal.Inspect(nil, dir)
	for _, r := range reports {
		err = errors.Join(err, r.Err)
		for _, s := range r.Segments {
			n += s.Used
		}
	}
	return n, err
}
