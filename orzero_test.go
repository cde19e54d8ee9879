package writebehind_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// An ORM that cannot know whether a column may be NULL adds to COALESCE(column, 0).
func TestNULLCountsAsZero(t *testing.T) {
	const ddl = `CREATE TABLE counts (id int PRIMARY KEY, i int, b bigint, n numeric(10,2), m numeric, s smallint, f float8);
		INSERT INTO counts (id) VALUES (1); INSERT INTO counts VALUES (2, 1, 1, 1, 1, 1, 1)`
	h, twin := newHarness(t, ddl, ""), newHarness(t, ddl, "")
	for _, column := range []string{"i", "b", "n", "m", "s", "f"} {
		for _, id := range []int{1, 2, 2, 3} {
			for _, query := range []string{
				`UPDATE counts SET ` + column + ` = COALESCE("counts"."` + column + `", 0) + $1 WHERE id = $2 RETURNING ` + column,
				`UPDATE counts SET ` + column + ` = coalesce(` + column + `, 0) - $1 WHERE id = $2 RETURNING *`,
			} {
				want, wantTypes, err := queryText.run(twin.past, query, 3, id)
				require.NoError(t, err, query)
				got, types, err := queryText.run(h.shim, query, 3, id)
				require.NoError(t, err, query)
				require.Equal(t, want, got, query)
				require.Equal(t, wantTypes, types)
			}
		}
	}
	require.EqualValues(t, 32, h.stats().Deferred, "all but smallint and float8")
	h.flush()
	const all = `SELECT string_agg(counts::text, ',' ORDER BY id) FROM counts`
	require.Equal(t, h.value(twin.past, all), h.value(h.past, all))
	decision, reason := h.explain(`UPDATE counts SET s = COALESCE(s, 0) + 1 WHERE id = 1`)
	require.Equal(t, "direct", decision)
	require.Contains(t, reason, `the type of column "s" and that of 0 are not one`)
}
