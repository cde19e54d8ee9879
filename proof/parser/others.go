//go:build cgo

package parser

// queries are templates of subqueries.
var queries = []string{
	"SELECT 1", "SELECT {c} FROM {r} {w}", "TABLE {r}", "VALUES ( {v} , {e} )", "SELECT {e} FROM {r} , {r}", "SELECT * FROM {r} FOR UPDATE",
	"SELECT {e} FROM {r} JOIN {r} USING ( id )", "( SELECT {e} )", "WITH {n} AS ( TABLE {r} ) TABLE {n}", "{k}",
}

// others are templates of statements of all kinds that rewrite has to judge
// without recognising them.
var others = []string{
	"{q}", "{q}", "{q}", "SELECT {e} , {e} FROM {r} AS {n} {w} GROUP BY {e} HAVING {e} ORDER BY {e} LIMIT {v} OFFSET {v}",
	"SELECT {e} FROM {r} LEFT JOIN {r} ON {e} , {r} CROSS JOIN {r}", "SELECT {e} FROM {r} NATURAL FULL OUTER JOIN ( {r} JOIN {r} ON true ) AS x",
	"SELECT {e} FROM ( {q} ) AS {n} , LATERAL ( {q} ) y ( a , b )", "SELECT {e} FROM f ( {v} ) WITH ORDINALITY AS {n} ( {n} , {n} )",
	"SELECT * FROM ROWS FROM ( f ( 1 ) , s . g ( 2 ) ) AS x", "SELECT {e} FROM {r} TABLESAMPLE system ( {v} ) REPEATABLE ( 1 )",
	"SELECT * FROM ONLY {r} , ONLY ( {r} ) , {r} *", "SELECT DISTINCT ON ( {e} ) {e} , f ( {v} ) FROM {r}", "SELECT DISTINCT {e} FROM {r}",
	"SELECT {e} UNION ALL {q} EXCEPT {q}", "( {q} ) INTERSECT ( {q} ) ORDER BY 1", "SELECT {e} INTO {r} FROM {r}", "SELECT {e} INTO TEMP {n} FROM {r}",
	"SELECT {e} INTO TEMPORARY TABLE {n}", "SELECT {e} INTO UNLOGGED TABLE {r} FROM {r}", "SELECT {e} INTO TABLE {n} FROM {r}",
	"WITH {n} AS ( {q} ) SELECT * FROM {n} , {r}", "WITH RECURSIVE {n} ( {n} ) AS ( {q} UNION {q} ) {k}", "WITH {n} AS MATERIALIZED ( {q} ) {k}",
	"WITH {n} AS NOT MATERIALIZED ( {q} ) , {n} ( a , b ) AS ( {k} ) SELECT * FROM {n}", "WITH {n} AS ( {k} ) SELECT 1 FROM {n}",
	"WITH {n} AS ( SELECT 1 ) , {n} AS ( SELECT 2 ) TABLE {r}", "WITH a AS ( {q} ) SEARCH DEPTH FIRST BY x SET y TABLE a",
	"WITH RECURSIVE a AS ( {q} ) CYCLE x SET y TO 1 DEFAULT 0 USING z SELECT * FROM a , {r}",
	"SELECT {e} FROM {r} FOR UPDATE OF {n} SKIP LOCKED FOR SHARE", "SELECT {e} FROM {r} {w} FOR NO KEY UPDATE", "SELECT {e} FROM {r} FOR READ ONLY",
	"SELECT {e} FROM {r} WINDOW w AS ( PARTITION BY {e} ORDER BY {e} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW )",
	"SELECT {e} OVER w FROM {r} WINDOW w AS ( )", "SELECT {e} FROM {r} GROUP BY GROUPING SETS ( ( {c} ) , ROLLUP ( {c} , {c} ) , CUBE ( {c} ) )",
	"SELECT {e} FROM {r} FETCH FIRST {v} ROWS WITH TIES", "SELECT {e} FROM {r} GROUP BY DISTINCT {c}", "VALUES ( {e} ) , ( {e} )", "TABLE {r}", "TABLE ONLY {r}",
	"INSERT INTO {r} {q}", "INSERT INTO {r} ( {n} ) OVERRIDING SYSTEM VALUE VALUES ( {e} )", "INSERT INTO {r} ( {n} ) SELECT {e} FROM {r} ON CONFLICT ( {n} ) WHERE {e} DO UPDATE SET {n} = {e} {w}",
	"INSERT INTO {r} VALUES ( {e} ) ON CONFLICT ON CONSTRAINT {n} DO NOTHING RETURNING {e}", "UPDATE {r} SET {n} = {e} FROM {r} , {r} {w}",
	"INSERT INTO {r} ( {n} ) VALUES ( {e} ) ON CONFLICT ( lower ( {n} ) text_ops ) DO NOTHING", "INSERT INTO {r} VALUES ( 1 ) ON CONFLICT ( ( {e} ) ) DO NOTHING",
	"UPDATE {r} SET ( {n} , {n} ) = ( {q} ) {w} RETURNING {e}", "UPDATE {r} SET {n} [ 1 ] = {v} , {n} . {n} = {v} {w}", "DELETE FROM {r} USING {r} , {r} {w}",
	"DELETE FROM {r} WHERE CURRENT OF {n}", "UPDATE ONLY {r} SET {n} = {e}", "DELETE FROM ONLY {r}", "DELETE FROM {r} USING {r} JOIN {r} ON {e} {w}",
	"MERGE INTO {r} USING {r} ON {e} WHEN MATCHED AND {e} THEN UPDATE SET {n} = {e} WHEN NOT MATCHED THEN INSERT ( {n} ) VALUES ( {e} )",
	"MERGE INTO {r} AS x USING ( {q} ) y ON {e} WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN DO NOTHING", "TRUNCATE {r}", "TRUNCATE TABLE ONLY {r} , {r} CASCADE",
	"TRUNCATE {r} RESTART IDENTITY RESTRICT", "EXPLAIN {q}", "EXPLAIN ANALYZE {k}", "EXPLAIN VERBOSE {k}", "EXPLAIN ( ANALYZE , COSTS off ) {k}", "EXPLAIN ( {q} )",
	"EXPLAIN ( FORMAT json ) {q}", `EXPLAIN ( "analyze" ) {k}`, `EXPLAIN ( U&"\0061nalyze" true ) {k}`, "EXPLAIN ( ( {q} ) )", "EXPLAIN ANALYZE VERBOSE ( {q} )",
	"EXPLAIN ANALYZE EXECUTE {n}", "EXPLAIN EXECUTE {n} ( {v} )", "EXPLAIN ANALYZE CREATE TABLE {r} AS {q}", "EXPLAIN ANALYSE {q}", "EXPLAIN ( analyze 0 ) {k}",
	"EXPLAIN DECLARE {n} CURSOR FOR {q}", "EXPLAIN ANALYZE DECLARE {n} CURSOR FOR {k}", "EXPLAIN REFRESH MATERIALIZED VIEW {r}", "EXPLAIN ( buffers , ANALYZE off ) SELECT {e} INTO TEMP x",
	"SHOW {n}", "SHOW ALL", "SHOW TIME ZONE", "SET {n} = {v}", "SET {n} . {n} TO {v} , {n}", "SET LOCAL {n} = DEFAULT", "SET SESSION {n} TO on", "SET TIME ZONE {v}",
	"SET LOCAL TIME ZONE interval {v} hour to minute", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE , READ ONLY", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
	"SET TRANSACTION SNAPSHOT {v}", "SET ROLE {n}", "SET LOCAL ROLE NONE", "SET SESSION AUTHORIZATION {n}", "SET CONSTRAINTS ALL DEFERRED", "SET CONSTRAINTS {n} . {n} IMMEDIATE", "SET NAMES {v}",
	"SET XML OPTION DOCUMENT", "SET {n} FROM CURRENT", "SET SCHEMA {v}", "RESET {n}", "RESET ALL", "RESET SESSION AUTHORIZATION", "DISCARD ALL", "DISCARD TEMP", "LISTEN {n}", "UNLISTEN *",
	"NOTIFY {n} , {v}", "LOAD {v}", "PREPARE {n} ( {t} ) AS {k}", "PREPARE {n} AS {q}", "EXECUTE {n} ( {e} )", "DEALLOCATE ALL", "DEALLOCATE PREPARE {n}",
	"DECLARE {n} BINARY SCROLL CURSOR WITH HOLD FOR {q}", "FETCH ALL FROM {n}", "FETCH NEXT {n}", "MOVE BACKWARD 2 IN {n}", "CLOSE {n}", "CLOSE ALL", "BEGIN", "BEGIN WORK",
	"BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY DEFERRABLE", "START TRANSACTION", "START TRANSACTION READ WRITE", "COMMIT", "COMMIT WORK AND CHAIN",
	"COMMIT AND NO CHAIN", "END", "END TRANSACTION", "ROLLBACK", "ROLLBACK AND CHAIN", "ABORT WORK", "SAVEPOINT {n}", "RELEASE {n}", "RELEASE SAVEPOINT {n}", "ROLLBACK TO {n}",
	"ROLLBACK WORK TO SAVEPOINT {n}", "ROLLBACK TRANSACTION TO {n}", "PREPARE TRANSACTION {v}", "COMMIT PREPARED {v}", "ROLLBACK PREPARED {v}", "BEGIN ; {k} ; COMMIT",
	"{k} ; {k}", "BEGIN ; SAVEPOINT {n}", "COMMIT ; BEGIN", "ROLLBACK ; {q}", "SET {n} = 1 ; {q}", "{q} ; DROP TABLE {r}", "LOCK TABLE {r} IN ACCESS SHARE MODE", "LOCK {r} , ONLY {r} NOWAIT",
	"COPY {r} ( {n} ) FROM STDIN", "COPY ( {k} ) TO STDOUT WITH ( FORMAT csv )", "COPY {r} TO {v} CSV HEADER", "DO {v}", "DO LANGUAGE plpgsql $$ BEGIN DELETE FROM t ; END $$", "CALL {n} ( {e} )", "CALL {n} . {n} ( )",
	"CREATE TABLE {r} ( {n} {t} PRIMARY KEY DEFAULT {v} , {n} {t} REFERENCES {r} ( id ) ON DELETE CASCADE , CHECK ( {e} ) )", "CREATE TEMP TABLE {n} ( )", "CREATE TABLE IF NOT EXISTS {r} AS {q} WITH NO DATA",
	"CREATE TEMPORARY TABLE {n} ON COMMIT DROP AS {q}", "CREATE UNLOGGED TABLE {r} ( LIKE {r} INCLUDING ALL )", "CREATE GLOBAL TEMP TABLE {n} ( {n} {t} )", "CREATE TABLE pg_temp . {n} ( )",
	"CREATE TABLE {r} PARTITION OF {r} FOR VALUES IN ( {v} )", "CREATE VIEW {r} AS {q}", "CREATE OR REPLACE TEMP VIEW {n} AS {q}", "CREATE TEMP RECURSIVE VIEW {n} ( a ) AS {q}", "CREATE MATERIALIZED VIEW {r} AS {q}",
	"CREATE INDEX ON {r} ( {n} )", "CREATE UNIQUE INDEX CONCURRENTLY {n} ON {r} USING btree ( lower ( {n} ) , ( {e} ) ) WHERE {e}", "CREATE SEQUENCE {r} START 1", "CREATE TEMP SEQUENCE {n}", "CREATE TYPE {n} AS ENUM ( 'a' )",
	"CREATE FUNCTION {n} ( {n} {t} ) RETURNS {t} LANGUAGE sql AS $$ SELECT $1 $$", "CREATE FUNCTION {n} ( ) RETURNS int BEGIN ATOMIC ; {k} ; SELECT 1 ; END", "CREATE FUNCTION {n} ( ) RETURNS int RETURN {e}", "CREATE TRIGGER {n} BEFORE INSERT ON {r} FOR EACH ROW EXECUTE FUNCTION {n} ( )",
	"CREATE RULE {n} AS ON INSERT TO {r} DO ALSO {k}", "CREATE RULE {n} AS ON UPDATE TO {r} DO INSTEAD ( {k} ; {k} )", "CREATE SCHEMA {n} CREATE TABLE {n} ( )", "CREATE EXTENSION {n}", "CREATE POLICY {n} ON {r} USING ( {e} )", "CREATE PUBLICATION {n} FOR TABLE {r}",
	"CREATE PROCEDURE {n} ( ) LANGUAGE sql BEGIN ATOMIC {k} ; END", "ALTER TABLE {r} ADD COLUMN {n} {t}", "ALTER TABLE {r} RENAME TO {n}", "ALTER TABLE IF EXISTS ONLY {r} DROP {n} CASCADE", "ALTER SEQUENCE {r} RESTART", "ALTER SYSTEM SET {n} = {v}",
	"ALTER ROLE {n} SET {n} = {v}", "ALTER DATABASE {n} SET {n} TO {v}", "DROP TABLE IF EXISTS {r} , {r} CASCADE", "DROP FUNCTION {n} ( {t} )", "DROP OWNED BY {n}", "COMMENT ON COLUMN {r} . {n} IS {v}", "GRANT SELECT , UPDATE ( {n} ) ON {r} TO {n}",
	"REVOKE ALL ON ALL TABLES IN SCHEMA {n} FROM PUBLIC", "GRANT {n} TO {n}", "SECURITY LABEL ON TABLE {r} IS {v}", "IMPORT FOREIGN SCHEMA {n} FROM SERVER {n} INTO {n}", "REASSIGN OWNED BY {n} TO {n}", "REFRESH MATERIALIZED VIEW {r}",
	"VACUUM ( FULL ) {r}", "ANALYZE {r} ( {n} )", "CLUSTER {r} USING {n}", "REINDEX TABLE {r}", "CHECKPOINT", "", ";", "{n}", "{n} {n} ( {v} )",
	"SELECT * FROM json_table ( {v} , '$' COLUMNS ( a int ) ) x", "SELECT xmltable . * FROM xmltable ( {v} PASSING {v} COLUMNS a {t} )",
	"SELECT 1 FROM {r} {n} ( a , b ) JOIN {r} AS {n} USING ( a ) AS j", "SELECT ( {q} ) FROM {r}", "SELECT FROM {r}", "SELECT ALL {c} FROM {r}", "SELECT {c} FROM {r} ORDER BY {e} USING >",
}
