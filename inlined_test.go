package writebehind_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Statements as bun writes them, with their values in the text.
func TestStatementsWithTheirValuesInThemAreDeferredAndCached(t *testing.T) {
	const ddl = `CREATE TABLE notes (id bigint PRIMARY KEY, title text, body text DEFAULT '', done boolean, score double precision, price numeric(8,2),
		raw bytea, tag uuid, at timestamptz, day date);`
	h := newHarness(t, ddl, "")
	read := `SELECT "note"."title" FROM "notes" AS "note" WHERE ("note"."id" = 17)`
	everything := `SELECT string_agg(notes::text, E'\n' ORDER BY id) FROM notes`
	statements := []struct{ decision, query string }{
		{"deferred", `INSERT INTO "notes" ("id", "title", "body", "done", "score", "price", "raw", "tag", "at", "day") VALUES (17, 'it''s "one"', DEFAULT, TRUE, 1.5, 12.30, '\x00ff', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2024-02-29 12:34:56.789+00:00', '2024-02-29')`},
		{"deferred", `INSERT INTO "notes" AS "note" ("id", "title", "done") VALUES (17, 'two', FALSE) ON CONFLICT ("id") DO UPDATE SET "title" = EXCLUDED."title"`},
		{"cached", read},
		{"deferred", `UPDATE "notes" AS "note" SET "title" = E'tab\there', "done" = FALSE, "price" = NULL WHERE ("note"."id" = 17)`},
		{"cached", read + ` LIMIT 1`},
		{"deferred", `UPDATE "notes" SET "price" = 7, "score" = -0.25, "at" = '2024-03-01 00:00:00+00:00' WHERE ("id" = 17) AND ("done" = FALSE)`},
		{"deferred", `INSERT INTO "notes" ("id", "title") VALUES (18, 'gone')`},
		{"deferred", `DELETE FROM "notes" AS "note" WHERE ("note"."id" = 18)`},
		{"direct", `UPDATE "notes" AS "note" SET "day" = '2024-02-30' WHERE ("note"."id" = 17)`},
		{"direct", `UPDATE "notes" AS "note" SET "done" = 1 WHERE ("note"."id" = 17)`},
	}
	run := func(h *harness) (answers []any) {
		for _, s := range statements {
			switch s.decision {
			case "cached":
				answers = append(answers, h.value(h.shim, s.query))
			case "deferred":
				require.EqualValues(h, 1, h.exec(s.query), s.query)
			default:
				_, err := h.shim.Exec(s.query)
				require.Error(h, err, s.query)
			}
		}
		return append(answers, h.value(h.shim, everything))
	}
	for _, s := range statements {
		decision, reason := h.explain(s.query)
		require.Equal(t, s.decision, decision, "%s: %s", s.query, reason)
	}
	got := run(h)
	require.EqualValues(t, 6, h.stats().Deferred)
	plain := newHarness(t, ddl, "")
	plain.shim = plain.past
	require.Equal(t, run(plain), got)
}
