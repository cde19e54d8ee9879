package writebehind_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/pgtest"
)

// benchDB opens a table of rows rows, all of them cached.
func benchDB(b *testing.B, rows int, params ...string) *sql.DB {
	b.Helper()
	server := pgtest.Shared(b)
	dsn := server.DSN(server.CreateDatabase(b))
	db, err := sql.Open("writebehind", dsn+" writebehind.tables=items writebehind.journal=none writebehind.cache_size=256MB "+strings.Join(params, " "))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	_, err = db.Exec(fmt.Sprintf(`CREATE TABLE items (id bigint PRIMARY KEY, name text, stock bigint);
		INSERT INTO items SELECT i, 'item ' || i, 1000 FROM generate_series(1, %d) AS i`, rows))
	require.NoError(b, err)
	for id := range rows {
		read(b, db, id+1)
	}
	return db
}

func read(b *testing.B, db *sql.DB, id int) {
	b.Helper()
	var key, stock int64
	var name string
	if err := db.QueryRow(`SELECT id, name, stock FROM items WHERE id = $1`, id).Scan(&key, &name, &stock); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkCachedRead(b *testing.B) {
	const rows = 1000
	db := benchDB(b, rows)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		read(b, db, i%rows+1)
	}
}

func BenchmarkDeferredIncrement(b *testing.B) {
	const rows = 1000
	db := benchDB(b, rows)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := db.Exec(`UPDATE items SET stock = stock + $1 WHERE id = $2`, i%1000, i%rows+1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDeferredUpdate(b *testing.B) {
	const rows = 1000
	db := benchDB(b, rows)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := db.Exec(`UPDATE items SET stock = $1 WHERE id = $2`, i, i%rows+1); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFlush writes 5000 rows and flushes them.
func BenchmarkFlush(b *testing.B) {
	const rows = 5000
	for name, set := range map[string]string{"set": "$1", "add": "stock + $1"} {
		b.Run(name, func(b *testing.B) {
			db := benchDB(b, rows, "writebehind.max_delay=1h", "writebehind.batch_rows=100000")
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				for id := range rows {
					if _, err := db.Exec(`UPDATE items SET stock = `+set+` WHERE id = $2`, i, id+1); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				if err := writebehind.Flush(b.Context(), db); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkInlined is a cached read and a deferred update whose values are in their
// texts, each text another one, beside the same with parameters.
func BenchmarkInlined(b *testing.B) {
	const rows = 1000
	db := benchDB(b, rows)
	exec := func(query string, args ...any) {
		if _, err := db.Exec(query, args...); err != nil {
			b.Fatal(err)
		}
	}
	value := func(query string, args ...any) {
		var stock int64
		if err := db.QueryRow(query, args...).Scan(&stock); err != nil {
			b.Fatal(err)
		}
	}
	for name, run := range map[string]func(i int){
		"read": func(i int) {
			value(fmt.Sprintf(`SELECT stock FROM items WHERE id = %d -- %d`, i%rows+1, i))
		},
		"read by parameters":   func(i int) { value(`SELECT stock FROM items WHERE id = $1`, i%rows+1) },
		"update":               func(i int) { exec(fmt.Sprintf(`UPDATE items SET stock = %d WHERE id = %d`, i, i%rows+1)) },
		"update by parameters": func(i int) { exec(`UPDATE items SET stock = $1 WHERE id = $2`, i, i%rows+1) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				run(i)
			}
		})
	}
}

func BenchmarkPrepare(b *testing.B) {
	server := pgtest.Shared(b)
	dsn := server.DSN(server.CreateDatabase(b))
	for _, driver := range []string{"postgres", "writebehind"} {
		params := ""
		if driver == "writebehind" {
			params = " writebehind.tables=items writebehind.journal=none"
		}
		db, err := sql.Open(driver, dsn+params)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, db.Close()) })
		_, err = db.Exec(`CREATE TABLE IF NOT EXISTS items (id bigint PRIMARY KEY, stock bigint)`)
		require.NoError(b, err)
		b.Run(driver, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				stmt, err := db.Prepare(`UPDATE items SET stock = $1 WHERE id = $2`)
				if err != nil {
					b.Fatal(err)
				}
				if err := stmt.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
