package main

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/examples/storefront/shop"
	"github.com/writebehind/writebehind/internal/pgtest"
)

// Nothing in the order transaction, and nothing in the schema, keeps it from being
// buffered.
func TestCheckOutIsBuffered(t *testing.T) {
	server := pgtest.Shared(t)
	dsn := server.DSN(server.CreateDatabase(t))
	s, err := newSide(t.Context(), openPlain(t, dsn), dsn, "writebehind", "test", 20,
		param{"writebehind.tables", "products,cart_items,orders,order_lines"},
		param{"writebehind.journal", "none"}, param{"writebehind.transactions", "buffer"})
	require.NoError(t, err)
	db, err := sql.Open("writebehind", s.dsn)
	require.NoError(t, err)
	defer db.Close()
	orders := 0
	shopper := shop.NewShopper(shop.Shop{DB: db}, 1, 20, time.Now(), func(k shop.Kind, _ time.Duration) {
		if k == shop.CheckOut {
			orders++
		}
	})
	for range 500 {
		require.NoError(t, shopper.Step(t.Context()))
	}
	st, err := writebehind.Stats(db)
	require.NoError(t, err)
	require.NotZero(t, orders)
	require.EqualValues(t, orders, st.Buffered)
	require.Zero(t, st.MadeReal)

	require.NoError(t, writebehind.Flush(t.Context(), db))
	wrong, err := s.verify(t.Context(), []*shop.Ledger{shopper.Ledger})
	require.NoError(t, err)
	require.Empty(t, wrong)
}
