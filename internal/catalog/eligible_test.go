package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIneligibleNamesTheReason(t *testing.T) {
	c := loaded(t,
		`CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
		`CREATE COLLATION loose (provider = icu, locale = 'und', deterministic = false)`,
		`CREATE TYPE mood AS ENUM ('sad', 'glad')`,
		`CREATE DOMAIN handle AS text`,
		`CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw`,

		`CREATE TABLE fine (id bigint PRIMARY KEY)`,
		`CREATE UNLOGGED TABLE unlogged (id bigint PRIMARY KEY)`,
		`CREATE TABLE every_key (a smallint, b int, c bigint, d uuid, e text, f varchar(9), g bytea, h date,
			i timestamp, j timestamptz, k bool, PRIMARY KEY (k, j, i, h, g, f, e, d, c, b, a))`,

		`CREATE TABLE keyless (id bigint UNIQUE NOT NULL)`,
		`CREATE TABLE deferrable_key (id bigint, CONSTRAINT late PRIMARY KEY (id) DEFERRABLE)`,
		`CREATE TABLE numeric_key (id numeric PRIMARY KEY)`,
		`CREATE TABLE padded_key (a int, id char(3), PRIMARY KEY (a, id))`,
		`CREATE TABLE enum_key (id mood PRIMARY KEY)`,
		`CREATE TABLE domain_key (id handle PRIMARY KEY)`,
		`CREATE TABLE loose_key (id text COLLATE loose PRIMARY KEY)`,
		`CREATE TABLE row_trigger (id bigint PRIMARY KEY)`,
		`CREATE TRIGGER stamp_row BEFORE INSERT ON row_trigger FOR EACH ROW EXECUTE FUNCTION stamp()`,
		`CREATE TABLE statement_trigger (id bigint PRIMARY KEY)`,
		`CREATE TRIGGER stamp_all AFTER TRUNCATE ON statement_trigger FOR EACH STATEMENT EXECUTE FUNCTION stamp()`,
		`CREATE TRIGGER also AFTER DELETE ON statement_trigger FOR EACH STATEMENT EXECUTE FUNCTION stamp()`,
		`CREATE TABLE built_in_trigger (id bigint PRIMARY KEY)`,
		`CREATE TRIGGER same BEFORE UPDATE ON built_in_trigger FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
		`CREATE TABLE disabled_trigger (id bigint PRIMARY KEY)`,
		`CREATE TRIGGER off BEFORE INSERT ON disabled_trigger FOR EACH ROW EXECUTE FUNCTION stamp()`,
		`ALTER TABLE disabled_trigger DISABLE TRIGGER off`,
		`CREATE TABLE ruled (id bigint PRIMARY KEY)`,
		`CREATE RULE keep AS ON DELETE TO ruled DO INSTEAD NOTHING`,
		`CREATE TABLE animal (id bigint PRIMARY KEY)`,
		`CREATE TABLE cat (PRIMARY KEY (id)) INHERITS (animal)`,
		`CREATE TABLE split (id bigint PRIMARY KEY) PARTITION BY RANGE (id)`,
		`CREATE TABLE split_1 PARTITION OF split DEFAULT`,
		`CREATE TABLE watched (id bigint PRIMARY KEY) PARTITION BY RANGE (id)`,
		`CREATE TABLE watched_1 PARTITION OF watched DEFAULT`,
		`CREATE TRIGGER only_here AFTER INSERT ON watched_1 FOR EACH ROW EXECUTE FUNCTION stamp()`,
		`CREATE TABLE half_foreign (id bigint) PARTITION BY RANGE (id)`,
		`CREATE FOREIGN TABLE half_foreign_1 PARTITION OF half_foreign DEFAULT SERVER files OPTIONS (filename '/dev/null')`,
		`CREATE TABLE half_indexed (id bigint NOT NULL) PARTITION BY RANGE (id)`,
		`CREATE TABLE half_indexed_1 PARTITION OF half_indexed DEFAULT`,
		`ALTER TABLE ONLY half_indexed ADD CONSTRAINT half_key PRIMARY KEY (id)`,
		`CREATE VIEW seen AS SELECT * FROM fine`,
		`CREATE MATERIALIZED VIEW stored AS SELECT * FROM fine`,
		`CREATE SEQUENCE counter`,
		`CREATE FOREIGN TABLE elsewhere (id bigint) SERVER files OPTIONS (filename '/dev/null')`,
	)
	for name, reason := range map[string]string{
		"fine": "", "unlogged": "", "every_key": "", "disabled_trigger": "", "split": "",

		"keyless":           `it has no primary key`,
		"deferrable_key":    `its primary key "late" is deferrable`,
		"numeric_key":       `its key column "id" is of type numeric`,
		"padded_key":        `its key column "id" is of type bpchar`,
		"enum_key":          `its key column "id" is of type public.mood`,
		"domain_key":        `its key column "id" is of type public.handle`,
		"loose_key":         `its key column "id" has a collation that is not deterministic`,
		"row_trigger":       `it has the trigger "stamp_row"`,
		"statement_trigger": `it has the triggers "also", "stamp_all"`,
		"built_in_trigger":  `it has the trigger "same"`,
		"ruled":             `it has the rule "keep"`,
		"animal":            `it has the inheritance child "public.cat"`,
		"cat":               `it inherits from "public.animal"`,
		"split_1":           `it is a partition of "public.split"; opt that table in`,
		"watched":           `partition "public.watched_1": it has the trigger "only_here"`,
		"half_indexed":      `its primary key "half_key" is not valid`,
		"half_foreign":      `it has no primary key`,
		"seen":              `it is a view`,
		"stored":            `it is a materialized view`,
		"counter":           `it is a sequence`,
		"elsewhere":         `it is a foreign table`,
	} {
		require.Equal(t, reason, relation(t, c, name).Ineligible, name)
	}
	require.Equal(t, `it is a foreign table`, relation(t, c, "elsewhere").OpaqueRead)
	require.Equal(t, `it reaches "public.half_foreign_1": it is a foreign table`, relation(t, c, "half_foreign").OpaqueRead)
}

func TestTemporaryTablesAreNotLoaded(t *testing.T) {
	c := loaded(t, `CREATE TEMPORARY TABLE fleeting (id bigserial PRIMARY KEY, n int REFERENCES fleeting)`)
	require.Empty(t, c.Relations)
	require.NotContains(t, c.SearchPath, "pg_temp_1")
}

func TestEligibilityDependsOnTheRole(t *testing.T) {
	db := database(t,
		`CREATE TABLE granted (id bigint PRIMARY KEY)`,
		`CREATE TABLE read_only (id bigint PRIMARY KEY)`,
		`CREATE TABLE column_only (id bigint PRIMARY KEY, n int)`,
		`CREATE TABLE secured (id bigint PRIMARY KEY)`,
		`ALTER TABLE secured ENABLE ROW LEVEL SECURITY`,
		`CREATE SCHEMA hidden`,
		`CREATE TABLE hidden.away (id bigint PRIMARY KEY)`,
		`DO $$ BEGIN CREATE ROLE catalog_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
		`GRANT ALL ON granted, secured, hidden.away TO catalog_reader`,
		`GRANT SELECT, DELETE ON read_only TO catalog_reader`,
		`GRANT SELECT, INSERT, UPDATE (n) ON column_only TO catalog_reader`,
		`CREATE TABLE forced (id bigint PRIMARY KEY)`,
		`ALTER TABLE forced ENABLE ROW LEVEL SECURITY`,
		`ALTER TABLE forced OWNER TO catalog_reader`,
		`CREATE TABLE own (id bigint PRIMARY KEY)`,
		`ALTER TABLE own ENABLE ROW LEVEL SECURITY`,
		`ALTER TABLE own OWNER TO catalog_reader`,
		`ALTER TABLE forced FORCE ROW LEVEL SECURITY`,
	)
	as := load(t, db)
	require.Empty(t, relation(t, as, "secured").Ineligible, "a superuser bypasses row security")

	run(t, db, `SET ROLE catalog_reader`)
	as = load(t, db)
	for name, reason := range map[string]string{
		"granted":     "",
		"own":         "",
		"read_only":   `the role lacks the privilege INSERT on the table`,
		"column_only": `the role lacks the privilege UPDATE on the table`,
		"secured":     `row security applies to the role`,
		"forced":      `row security applies to the role`,
	} {
		require.Equal(t, reason, relation(t, as, name).Ineligible, name)
	}
	away, found := as.Resolve("hidden", "away")
	require.True(t, found)
	require.Equal(t, `the role lacks the privilege USAGE on the schema "hidden"`, away.Ineligible)

	readOnly := relation(t, as, "read_only")
	require.Equal(t, []string{"INSERT", "UPDATE"}, readOnly.Lacks)
	require.True(t, readOnly.May("DELETE"))
	require.False(t, readOnly.May("UPDATE"))
	run(t, db, `RESET ROLE`, `REASSIGN OWNED BY catalog_reader TO CURRENT_USER`, `DROP OWNED BY catalog_reader`)
}
