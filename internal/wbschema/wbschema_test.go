package wbschema_test

import (
	"database/sql"
	"strings"
	"sync"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/wbschema"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func TestManyMakeTheSchemaAtOnce(t *testing.T) {
	server := pgtest.Shared(t)
	dsn := server.DSN(server.CreateDatabase(t), "default_transaction_isolation=serializable")
	var all sync.WaitGroup
	for range 8 {
		db := open(t, dsn)
		all.Go(func() {
			if err := wbschema.Ensure(t.Context(), db); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	db := open(t, dsn)
	var owners int
	require.NoError(t, db.QueryRow(`SELECT count(*) FROM writebehind.owner WHERE NOT dirty AND epoch = 0`).Scan(&owners))
	require.Equal(t, 1, owners)
	for _, table := range []string{"checkpoint", "instance", "owner", "dead_letter"} {
		_, err := db.Exec(`SELECT FROM writebehind.` + table)
		require.NoError(t, err)
	}
}

func TestAWholeSchemaCostsOneQuery(t *testing.T) {
	server := pgtest.Shared(t)
	name := server.CreateDatabase(t)
	db := open(t, server.DSN(name))
	require.NoError(t, wbschema.Ensure(t.Context(), db))
	// Nothing but a query is possible here.
	reader := open(t, server.DSN(name, "default_transaction_read_only=on"))
	require.NoError(t, wbschema.Ensure(t.Context(), reader))
}

func TestWhatIsMissingIsAddedAndTheRestKept(t *testing.T) {
	server := pgtest.Shared(t)
	db := open(t, server.DSN(server.CreateDatabase(t)))
	require.NoError(t, wbschema.Ensure(t.Context(), db))
	_, err := db.Exec(`INSERT INTO writebehind.checkpoint (journal, lsn) VALUES ('j', 7);
		UPDATE writebehind.owner SET epoch = 5; DROP TABLE writebehind.dead_letter; DROP FUNCTION writebehind.abandon`)
	require.NoError(t, err)
	require.NoError(t, wbschema.Ensure(t.Context(), db))
	var lsn, epoch, letters int
	require.NoError(t, db.QueryRow(`SELECT (SELECT lsn FROM writebehind.checkpoint), (SELECT epoch FROM writebehind.owner),
		(SELECT count(*) FROM writebehind.dead_letter)`).Scan(&lsn, &epoch, &letters))
	require.Equal(t, []int{7, 5, 0}, []int{lsn, epoch, letters})
}

func TestNoSearchPathLeadsItAstray(t *testing.T) {
	server := pgtest.Shared(t)
	name := server.CreateDatabase(t)
	_, err := open(t, server.DSN(name)).Exec(`CREATE SCHEMA trap; CREATE TABLE trap.owner (); CREATE TABLE trap.instance ();
		CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz';
		CREATE FUNCTION trap.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'`)
	require.NoError(t, err)
	db := open(t, server.DSN(name, "search_path=trap,pg_catalog"))
	require.NoError(t, wbschema.Ensure(t.Context(), db))
	_, err = db.Exec(`INSERT INTO writebehind.checkpoint (journal, lsn) VALUES ('j', 7)`)
	require.NoError(t, err)
	_, err = db.Exec(`SELECT writebehind.abandon('j')`)
	require.NoError(t, err)
}

// An administrator can do what the error says, and then the role works.
func TestARoleWithoutRightsIsToldWhatToRun(t *testing.T) {
	server := pgtest.Shared(t)
	name := server.CreateDatabase(t)
	admin := open(t, server.DSN(name))
	role := `W "r" ` + name[len(name)-12:]
	_, err := admin.Exec(`CREATE ROLE ` + pq.QuoteIdentifier(role) + ` LOGIN PASSWORD 'x'`)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := admin.Exec(`DROP OWNED BY ` + pq.QuoteIdentifier(role) + `; DROP ROLE ` + pq.QuoteIdentifier(role))
		require.NoError(t, err)
	})
	user := open(t, server.DSN(name, "user="+role, "password=x"))

	err = wbschema.Ensure(t.Context(), user)
	require.ErrorContains(t, err, "may not create")
	require.ErrorContains(t, err, wbschema.DDL)
	require.ErrorContains(t, err, wbschema.Grants(pq.QuoteIdentifier(role)))

	_, err = admin.Exec(wbschema.DDL)
	require.NoError(t, err)
	err = wbschema.Ensure(t.Context(), user)
	require.ErrorContains(t, err, "may not use")
	_, instructions, ok := strings.Cut(err.Error(), "must run:\n")
	require.True(t, ok)
	_, err = admin.Exec(instructions)
	require.NoError(t, err)

	require.NoError(t, wbschema.Ensure(t.Context(), user))
	_, err = user.Exec(`INSERT INTO writebehind.dead_letter
		(journal, lsn, position, table_schema, table_name, key, kind, set_columns, new_values, sqlstate, message)
		VALUES ('j', 1, 0, 'public', 't', '{}', 'insert', '{}', '{}', '23505', '');
		INSERT INTO writebehind.checkpoint (journal, lsn) VALUES ('j', 7);
		SELECT writebehind.abandon('j')`)
	require.NoError(t, err)
	_, err = admin.Exec(`REVOKE DELETE ON writebehind.instance FROM ` + pq.QuoteIdentifier(role))
	require.NoError(t, err)
	require.ErrorContains(t, wbschema.Ensure(t.Context(), user), "GRANT")
}
