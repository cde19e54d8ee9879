package catalog_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgtest"
)

func TestLoadTellsWhetherAnythingChanged(t *testing.T) {
	db := database(t,
		`CREATE TYPE mood AS ENUM ('sad')`,
		`CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
		`DO $$ BEGIN CREATE ROLE catalog_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
		`CREATE TABLE parent (id bigint PRIMARY KEY, n int)`,
		`CREATE TABLE t (id bigserial PRIMARY KEY, a text, m mood)`,
	)
	ctx := t.Context()
	current := load(t, db)
	step := func(changes bool, statement string) {
		t.Helper()
		run(t, db, statement)
		next, err := catalog.Load(ctx, db, current)
		require.NoError(t, err)
		if changes {
			require.NotSame(t, current, next, statement)
			require.NotEqual(t, current.Fingerprint(), next.Fingerprint())
		} else {
			require.Same(t, current, next, statement)
		}
		current = next
	}
	for _, statement := range []string{
		`INSERT INTO parent SELECT g, g FROM generate_series(1, 100) g`,
		`INSERT INTO t (a) VALUES ('x')`,
		`ANALYZE`,
		`DELETE FROM t`,
		`VACUUM FULL t`,
		`TRUNCATE parent`,
		`SELECT setval('t_id_seq', 100)`,
		`CREATE TEMPORARY TABLE fleeting (id bigserial PRIMARY KEY, n int DEFAULT 1 CHECK (n > 0) REFERENCES fleeting)`,
		`CREATE INDEX ON fleeting (lower(n::text))`,
		`SET statement_timeout = '1h'`,
		`CREATE SCHEMA other`,
	} {
		step(false, statement)
	}
	for _, statement := range []string{
		`ALTER TABLE t ADD b int DEFAULT 0`,
		`ALTER TABLE t ALTER b SET DEFAULT 1`,
		`ALTER TABLE t ALTER b SET NOT NULL`,
		`ALTER TABLE t ALTER b TYPE bigint`,
		`ALTER TABLE t RENAME b TO c`,
		`ALTER TABLE t ADD CONSTRAINT k CHECK (c > 0)`,
		`ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (c) REFERENCES parent`,
		`ALTER TABLE t DROP CONSTRAINT f`,
		`CREATE INDEX i ON t (a)`,
		`DROP INDEX i`,
		`CREATE INDEX i ON t (lower(a))`,
		`ALTER TYPE mood ADD VALUE 'glad'`,
		`CREATE TRIGGER s BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION stamp()`,
		`ALTER TABLE t DISABLE TRIGGER s`,
		`CREATE VIEW v AS SELECT id FROM t`,
		`CREATE OR REPLACE VIEW v AS SELECT p.id FROM t JOIN parent p USING (id)`,
		`CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING`,
		`ALTER TABLE t ENABLE ROW LEVEL SECURITY`,
		`CREATE POLICY p ON t USING (id IN (SELECT n FROM parent))`,
		`CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
		`ALTER SEQUENCE t_id_seq INCREMENT 2`,
		`SET search_path = other, public`,
		`CREATE TABLE other.t (id int)`,
		`DROP TABLE t CASCADE`,
		`SET ROLE catalog_reader`,
	} {
		step(true, statement)
	}
}

func TestLoadPicksUpNewTables(t *testing.T) {
	db := database(t)
	empty := load(t, db)
	_, found := empty.Resolve("", "t")
	require.False(t, found)

	run(t, db, `CREATE TABLE t (id bigint PRIMARY KEY)`)
	next, err := catalog.Load(t.Context(), db, empty)
	require.NoError(t, err)
	require.Empty(t, relation(t, next, "t").Ineligible)
	require.Empty(t, empty.Relations, "a catalog never changes")
	require.Contains(t, next.Builtins, "lower")

	// What is not committed is seen by its own transaction only.
	conn, err := sql.Open("postgres", connString(t, db))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	tx, err := conn.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	_, err = tx.ExecContext(t.Context(), `CREATE TABLE u (id bigint PRIMARY KEY)`)
	require.NoError(t, err)
	same, err := catalog.Load(t.Context(), db, next)
	require.NoError(t, err)
	require.Same(t, next, same)
	inside, err := catalog.Load(t.Context(), tx, next)
	require.NoError(t, err)
	require.Empty(t, relation(t, inside, "u").Ineligible)
}

func TestLoadReportsErrors(t *testing.T) {
	db := database(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := catalog.Load(ctx, db, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "load the schema: ")
}

func TestLoadInTheExtendedAndTheBinaryProtocol(t *testing.T) {
	db := database(t, `CREATE TABLE t (id bigint PRIMARY KEY, d text DEFAULT 'x')`)
	binary, err := sql.Open("postgres", connString(t, db)+" binary_parameters=yes")
	require.NoError(t, err)
	defer func() { require.NoError(t, binary.Close()) }()
	c := load(t, binary)
	require.Equal(t, load(t, db).Fingerprint(), c.Fingerprint())
	r, err := c.Describe(t.Context(), binary, relation(t, c, "t"))
	require.NoError(t, err)
	require.Equal(t, "x", column(t, r, "d").Default.Value)
}

// BenchmarkLoadUnchanged is what a poll costs on a schema of 100 tables.
func BenchmarkLoadUnchanged(b *testing.B) {
	server := pgtest.Shared(b)
	db, err := sql.Open("postgres", server.DSN(server.CreateDatabase(b)))
	require.NoError(b, err)
	defer func() { require.NoError(b, db.Close()) }()
	_, err = db.ExecContext(b.Context(), `DO $$ BEGIN FOR i IN 1..100 LOOP
		EXECUTE format('CREATE TABLE t%s (id bigserial PRIMARY KEY, a text NOT NULL DEFAULT %L, b int CHECK (b > 0),
			c timestamptz DEFAULT now(), d jsonb, e uuid DEFAULT gen_random_uuid(), f numeric(10,2) DEFAULT 0, g text UNIQUE,
			h date, p bigint REFERENCES t%s)', i, '', i);
	END LOOP; END $$`)
	require.NoError(b, err)
	c, err := catalog.Load(b.Context(), db, nil)
	require.NoError(b, err)
	require.Len(b, c.Relations, 200)
	for b.Loop() {
		next, err := catalog.Load(b.Context(), db, c)
		require.NoError(b, err)
		require.Same(b, c, next)
	}
}
