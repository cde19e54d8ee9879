package writebehind_test

import "github.com/stretchr/testify/require"

// inTransactions and flushed are ways to send statements one by one: each in a
// transaction of its own, or with a flush after each.
const (
	eachAlone      = "each"
	inTransactions = "in transactions"
	flushed        = "flushed"
)

// sameAs sends statements through the shim, and through lib/pq to a twin of its database,
// and requires that the same comes of each.
func (h *harness) sameAs(twin *harness, how string, via access, statements []string) {
	h.Helper()
	for _, query := range statements {
		want, wantAffected, wantErr := via.run(twin.past, query)
		got, affected, err := h.send(how, via, query)
		if wantErr != nil {
			require.EqualError(h, err, wantErr.Error(), query)
			continue
		}
		require.NoError(h, err, query)
		require.Equal(h, want, got, query)
		require.Equal(h, wantAffected, affected, query)
		if how == flushed {
			h.flush()
		}
	}
}

func (h *harness) send(how string, via access, query string) (rows []string, affected int64, err error) {
	h.Helper()
	if how != inTransactions {
		return via.run(h.shim, query)
	}
	tx := h.begin(h.shim)
	if rows, affected, err = via.run(tx, query); err == nil {
		return rows, affected, tx.Commit()
	}
	require.NoError(h, tx.Rollback())
	return nil, 0, err
}
