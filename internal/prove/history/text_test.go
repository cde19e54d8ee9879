package history

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLimitsOfTransactionsAreTold(t *testing.T) {
	type limits struct{ begins, ends, undoes bool }
	for text, want := range map[string]limits{
		"BEGIN":                    {begins: true},
		"start transaction;":       {begins: true},
		"COMMIT;":                  {ends: true},
		"end work":                 {ends: true},
		"abort":                    {ends: true, undoes: true},
		"rollback;":                {ends: true, undoes: true},
		"rollback to s":            {undoes: true},
		"ROLLBACK WORK TO s":       {undoes: true},
		"COMMIT AND CHAIN":         {},
		"ROLLBACK AND CHAIN":       {undoes: true},
		"COMMIT AND NO CHAIN":      {ends: true},
		"SAVEPOINT s":              {},
		"":                         {},
		"SELECT 'BEGIN'":           {},
		"UPDATE t SET a = 1 -- to": {},
	} {
		begins, ends, undoes := Statement{SQL: text}.Limits()
		require.Equal(t, want, limits{begins, ends, undoes}, text)
	}
	_, ends, undoes := Statement{Call: Rollback}.Limits()
	require.True(t, ends && undoes)
}

func TestReadsAreTold(t *testing.T) {
	require.True(t, Statement{Call: Query, SQL: "select * from t where id = 1"}.OnlyReads())
	require.True(t, Statement{Call: Begin}.OnlyReads())
	for _, text := range []string{
		"SELECT * FROM t FOR UPDATE", "SELECT bump()", "SELECT pg_advisory_lock(1)", "UPDATE t SET a = 1", "WITH d AS (DELETE FROM t) SELECT 1", "",
	} {
		require.False(t, Statement{Call: Query, SQL: text}.OnlyReads(), text)
	}
}
