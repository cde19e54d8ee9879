package writebehind_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/pgtest"
)

// Three statements of an application that knows nothing of the shim. The first
// asks PostgreSQL for the row, the others do not wait for it.
func Example() {
	dsn, stop := throwaway(`
		CREATE TABLE items (id bigint PRIMARY KEY, name text, stock int);
		INSERT INTO items VALUES (1, 'lamp', 10)`)
	defer stop()

	db, err := sql.Open("writebehind", dsn+" writebehind.tables=items writebehind.journal=none")
	check(err)
	defer db.Close()

	_, err = db.Exec(`UPDATE items SET stock = stock - $1 WHERE id = $2`, 3, 1)
	check(err)
	_, err = db.Exec(`INSERT INTO items (id, name, stock) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET stock = items.stock + EXCLUDED.stock`, 1, "lamp", 5)
	check(err)

	var name string
	var stock int
	check(db.QueryRow(`SELECT name, stock FROM items WHERE id = $1`, 1).Scan(&name, &stock))
	fmt.Println(name, stock)
	// Output: lamp 12
}

// Flush is for the moment at which somebody else is to see what has been
// acknowledged: a report by another program, a message that goes out.
func ExampleFlush() {
	dsn, stop := throwaway(`
		CREATE TABLE items (id bigint PRIMARY KEY, stock int);
		INSERT INTO items VALUES (1, 10)`)
	defer stop()
	plain, err := sql.Open("postgres", dsn)
	check(err)
	defer plain.Close()

	db, err := sql.Open("writebehind", dsn+" writebehind.tables=items writebehind.journal=none writebehind.max_delay=1h")
	check(err)
	defer db.Close()
	_, err = db.Exec(`UPDATE items SET stock = 7 WHERE id = 1`)
	check(err)

	fmt.Println("this program sees ", stockOf(db))
	fmt.Println("another one sees  ", stockOf(plain))
	check(writebehind.Flush(context.Background(), db))
	fmt.Println("and after Flush   ", stockOf(plain))
	// Output:
	// this program sees  7
	// another one sees   10
	// and after Flush    7
}

// One statement among many must be in PostgreSQL when it returns.
func ExampleWithSync() {
	dsn, stop := throwaway(`
		CREATE TABLE items (id bigint PRIMARY KEY, stock int);
		INSERT INTO items VALUES (1, 10)`)
	defer stop()
	plain, err := sql.Open("postgres", dsn)
	check(err)
	defer plain.Close()

	db, err := sql.Open("writebehind", dsn+" writebehind.tables=items writebehind.journal=none writebehind.max_delay=1h")
	check(err)
	defer db.Close()

	ctx := writebehind.WithSync(context.Background())
	_, err = db.ExecContext(ctx, `UPDATE items SET stock = 7 WHERE id = 1`)
	check(err)
	fmt.Println(stockOf(plain))
	// Output: 7
}

func ExampleStats() {
	dsn, stop := throwaway(`
		CREATE TABLE items (id bigint PRIMARY KEY, stock int);
		INSERT INTO items VALUES (1, 10)`)
	defer stop()
	db, err := sql.Open("writebehind", dsn+" writebehind.tables=items writebehind.journal=none writebehind.max_delay=1h")
	check(err)
	defer db.Close()

	for range 1000 {
		_, err = db.Exec(`UPDATE items SET stock = stock + 1 WHERE id = $1`, 1)
		check(err)
	}
	before, err := writebehind.Stats(db)
	check(err)
	fmt.Println("acknowledged:", before.Deferred, "pending rows:", before.PendingRows)

	check(writebehind.Flush(context.Background(), db))
	after, err := writebehind.Stats(db)
	check(err)
	fmt.Println("rows written:", after.FlushedRows, "transactions:", after.Flushes)
	// Output:
	// acknowledged: 1000 pending rows: 1
	// rows written: 1 transactions: 1
}

// EXPLAIN WRITEBEHIND says what the shim would do with a statement, and why.
// It executes nothing.
func Example_explain() {
	dsn, stop := throwaway(`CREATE TABLE items (id bigint PRIMARY KEY, name text, stock int)`)
	defer stop()
	db, err := sql.Open("writebehind", dsn+" writebehind.tables=items writebehind.journal=none")
	check(err)
	defer db.Close()

	for _, statement := range []string{
		`UPDATE items SET stock = stock - $1 WHERE id = $2`,
		`SELECT name, stock FROM items WHERE id = $1`,
		`SELECT name FROM items WHERE id = $1 FOR UPDATE`,
	} {
		var decision, keyed, table, reason string
		check(db.QueryRow("EXPLAIN WRITEBEHIND "+statement).Scan(&decision, &keyed, &table, &reason))
		fmt.Printf("%s: %s\n", decision, reason)
	}
	// Output:
	// deferred: by primary key
	// cached: by primary key
	// direct: it locks the row; it may write public.items and comes after all that is pending
}

// What a DSN cannot carry is an option of NewConnector.
func ExampleNewConnector() {
	dsn, stop := throwaway(`CREATE TABLE items (id bigint PRIMARY KEY, stock int)`)
	defer stop()

	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	connector, err := writebehind.NewConnector(dsn+" writebehind.tables=items writebehind.journal=none",
		writebehind.WithLogger(logger))
	check(err)
	db := sql.OpenDB(connector)
	_, err = db.Exec(`INSERT INTO items VALUES ($1, $2)`, 1, 10)
	check(err)

	fmt.Println(stockOf(db))
	fmt.Println(db.Close()) // brings what is pending to PostgreSQL
	// Output:
	// 10
	// <nil>
}

// throwaway makes a database that lasts for one example, with these tables.
func throwaway(ddl string) (dsn string, stop func()) {
	ctx := context.Background()
	server, err := pgtest.Start(ctx)
	check(err)
	name := fmt.Sprintf("example_%d", os.Getpid())
	check(server.AddDatabase(ctx, name))
	dsn = server.DSN(name)

	plain, err := sql.Open("postgres", dsn)
	check(err)
	defer plain.Close()
	_, err = plain.Exec(ddl)
	check(err)
	return dsn, func() {
		check(server.DropDatabase(ctx, name))
		check(server.Close())
	}
}

func stockOf(db *sql.DB) (stock int) {
	check(db.QueryRow(`SELECT stock FROM items WHERE id = 1`).Scan(&stock))
	return stock
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
