package main

import (
	"bytes"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/examples/storefront/shop"
	"github.com/writebehind/writebehind/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// The example runs as a user runs it, on a server of one's own, and leaves no
// schema of its own behind.
func TestStorefrontIsVerified(t *testing.T) {
	server := pgtest.Shared(t)
	dsn := server.URL(server.CreateDatabase(t))

	var out, progress bytes.Buffer
	err := run(t.Context(), []string{"-dsn", dsn, "-seconds", "0.5", "-shoppers", "8", "-products", "50"}, &out, &progress)
	require.NoError(t, err, "%s", &out)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Equal(t, "verified", lines[len(lines)-1])
	for _, j := range []journal{synced, unsynced, none} {
		require.Contains(t, progress.String(), j.String())
		require.Contains(t, out.String(), j.String())
	}

	admin := openPlain(t, dsn)
	var left int
	err = admin.QueryRow(`SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'storefront%'`).Scan(&left)
	require.NoError(t, err)
	require.Zero(t, left)
}

// A write that is lost behind the driver's back is seen in the tables, not only
// in made-up contents.
func TestLostRowIsSeen(t *testing.T) {
	server := pgtest.Shared(t)
	dsn := server.DSN(server.CreateDatabase(t))
	s, err := newSide(t.Context(), openPlain(t, dsn), dsn, "postgres", "test", 3)
	require.NoError(t, err)

	db := openPlain(t, s.plain)
	shopper := shop.NewShopper(shop.Shop{DB: db}, 1, 3, time.Now(), nil)
	for range 100 {
		require.NoError(t, shopper.Step(t.Context()))
	}
	ledgers := []*shop.Ledger{shopper.Ledger}

	wrong, err := s.verify(t.Context(), ledgers)
	require.NoError(t, err)
	require.Empty(t, wrong)

	for _, loss := range []string{
		`DELETE FROM orders WHERE id = (SELECT min(id::text)::uuid FROM orders)`,
		`DELETE FROM order_lines WHERE order_id = (SELECT min(order_id::text)::uuid FROM order_lines)`,
		`UPDATE cart_items SET qty = qty - 1 WHERE product = (SELECT min(product) FROM cart_items)`,
		`UPDATE products SET stock = stock + 1 WHERE id = 2`,
		`UPDATE products SET price = 0 WHERE id = 3`,
	} {
		_, err := db.Exec(loss)
		require.NoError(t, err)
		before := wrong
		wrong, err = s.verify(t.Context(), ledgers)
		require.NoError(t, err)
		require.NotEqual(t, before, wrong, "after %s", loss)
		require.NotEmpty(t, wrong)
	}
}

func TestUnusableArgumentsAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-seconds", "0"}, {"-shoppers", "0"}, {"-products", "1"}, {"-journals", "on,maybe"}, {"-checkouts", "16"}, {"-transactions", "perhaps"}, {"twice"}, {"-nonsense"}} {
		var out bytes.Buffer
		require.Error(t, run(t.Context(), args, &out, &out), "%v", args)
	}
}

func openPlain(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}
