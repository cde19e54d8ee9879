package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEffectIsJudgedByTheWholeText(t *testing.T) {
	for effect, texts := range map[Effect][]string{
		NoEffect: {
			"", " ; ; ", "-- ping", "/* ; */", "SHOW x", "SET a = 1", "SET LOCAL a TO b", "SET TRANSACTION READ ONLY",
			"RESET ALL", "LISTEN a", "UNLISTEN *", "DEALLOCATE a", "CLOSE c", "BEGIN", "begin work;",
			"START TRANSACTION", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT a", "RELEASE a", "ROLLBACK TO a",
			"COMMIT AND CHAIN", "ROLLBACK WORK AND NO CHAIN",
		},
		Reads: {
			"SELECT 1", "select * from t", "VALUES (1)", "TABLE t", "(SELECT 1)", "WITH a AS (SELECT 1) TABLE a",
			"SELECT 'insert into', \"update\", $$delete$$ /* merge */ -- into", "EXPLAIN SELECT 1",
			"EXPLAIN VERBOSE DELETE FROM t", "EXPLAIN (VERBOSE, COSTS OFF) UPDATE t SET a = 1",
			"EXPLAIN (ANALYZE) SELECT 1", "EXPLAIN ANALYZE SELECT 1", "EXPLAIN (SELECT 1)",
			"SELECT substring(a for 3) FROM t",
		},
		Writes: {
			"INSERT INTO t DEFAULT VALUES", "UPDATE t SET a = 1", "DELETE FROM t", "MERGE INTO t USING u ON a WHEN MATCHED THEN DELETE",
			"TRUNCATE t", "TRUNCATE TABLE a, b RESTART IDENTITY", "SELECT 1 INTO t", "SELECT * FROM t FOR UPDATE",
			"SELECT * FROM t FOR NO KEY UPDATE", "SELECT * FROM t FOR KEY SHARE", "SELECT * FROM t FOR share",
			"SELECT * FROM (SELECT * FROM t FOR SHARE) x", "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
			"WITH a AS (SELECT 1) INSERT INTO t TABLE a", "EXPLAIN ANALYZE DELETE FROM t", "EXPLAIN ANALYSE VERBOSE UPDATE t SET a = 1",
			"EXPLAIN (COSTS OFF, ANALYZE TRUE) DELETE FROM t", `EXPLAIN ("analyze") DELETE FROM t`, "EXPLAIN (ANALYZE false) DELETE FROM t",
		},
		Unknown: {
			"SELECT 1; SELECT 2", "COPY t FROM STDIN", "COPY (DELETE FROM t RETURNING *) TO STDOUT", "DO $$ $$", "CALL f()",
			"DISCARD ALL", "EXECUTE a", "PREPARE a AS SELECT 1", "DECLARE c CURSOR FOR SELECT 1", "FETCH c", "MOVE c", "LOCK t", "VACUUM",
			"ANALYZE t", "CREATE TABLE t ()", "ALTER TABLE t ADD a int", "DROP TABLE t", "GRANT ALL ON t TO u", "REFRESH MATERIALIZED VIEW v",
			"TRUNCATE t CASCADE", "SET CONSTRAINTS ALL IMMEDIATE", "NOTIFY a", "PREPARE TRANSACTION 'a'", "COMMIT PREPARED 'a'",
			"ROLLBACK PREPARED 'a'", "EXPLAIN EXECUTE a", "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1", "EXPLAIN", "frobnicate",
			"1", "COMMIT x", "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC; SELECT 1; END", "SELECT 'a", "SELECT 1into t",
		},
	} {
		for _, sql := range texts {
			require.Equal(t, effect, Parse(sql).Effect, sql)
		}
	}
}

func TestVerb(t *testing.T) {
	for sql, want := range map[string]string{
		"": "", ";": "", "-- x": "", "select 1": "SELECT", " ;; /* a */ Update t": "UPDATE", "((select 1))": "SELECT",
		"1": "", `"select"`: "", "BEGIN; COMMIT": "BEGIN", "frobnicate": "FROBNICATE",
	} {
		require.Equal(t, want, Parse(sql).Verb, sql)
	}
}

func TestTransactionControl(t *testing.T) {
	for transaction, texts := range map[Transaction][]string{
		NoTransaction: {
			"", "SELECT 1", "SELECT 1; SELECT 2", "SET TRANSACTION READ ONLY", "COMMIT PREPARED 'a'",
			"ROLLBACK PREPARED 'a'", "PREPARE a AS SELECT 1", "SELECT 'begin'",
		},
		BeginTransaction: {"BEGIN", "begin transaction isolation level serializable;", "START TRANSACTION READ ONLY", "-- x\nBEGIN"},
		EndTransaction: {
			"COMMIT", "COMMIT WORK", "END TRANSACTION;", "ROLLBACK", "ABORT", "ROLLBACK AND NO CHAIN", "PREPARE TRANSACTION 'a'",
		},
		InTransaction: {
			"SAVEPOINT a", "RELEASE a", "RELEASE SAVEPOINT a", "ROLLBACK TO a", "ROLLBACK WORK TO SAVEPOINT a",
			"COMMIT AND CHAIN", "END WORK AND CHAIN",
		},
		MixedTransaction: {"BEGIN; SELECT 1", "SELECT 1; COMMIT;", "COMMIT; BEGIN", "COMMIT x", "COMMIT AND", "ROLLBACK AND NO CHAIN x"},
	} {
		for _, sql := range texts {
			require.Equal(t, transaction, Parse(sql).Transaction, sql)
		}
	}
}

func TestSessionState(t *testing.T) {
	for _, sql := range []string{
		"SET a = 1", "SET LOCAL a = 1", "SET ROLE a", "RESET a", "DISCARD PLANS", "LISTEN a", "DECLARE c CURSOR FOR SELECT 1",
		"PREPARE a AS SELECT 1", "DEALLOCATE a", "CREATE TEMP TABLE t ()", "create temporary view v as select 1",
		"SELECT 1 INTO TEMP t", "SELECT set_config('a', 'b', false)", "SELECT pg_catalog.\"set_config\"('a', 'b', false)",
		"DROP TABLE pg_temp.t", "CREATE TABLE pg_temp_3.t ()", "DO $$ $$", "CALL f()", "SELECT 1; SET a = 1",
		"WITH a AS (SELECT set_config('a', 'b', true)) DELETE FROM t", "UPDATE pg_catalog.pg_settings SET setting = 'b' WHERE name = 'a'",
	} {
		require.True(t, Parse(sql).Session, sql)
	}
	for _, sql := range []string{
		"", "SELECT 1", "INSERT INTO t (temp) VALUES (1)", "SELECT temp FROM temporary", "UPDATE t SET a = 1", "BEGIN", "SHOW a",
		"CREATE TABLE t ()", "SELECT 'set_config(1)'", "SELECT set_config FROM t", "SELECT setting FROM pg_settings",
	} {
		require.False(t, Parse(sql).Session, sql)
	}
}

func TestSessionStateThatEndsWithTheTransaction(t *testing.T) {
	for _, sql := range []string{"SET LOCAL a = 1", "set local time zone 'UTC';", "SET LOCAL ROLE a", "SET TRANSACTION READ ONLY"} {
		require.True(t, Parse(sql).Local, sql)
		require.True(t, Parse(sql).Session, sql)
	}
	for _, sql := range []string{
		"SET a = local", "SET SESSION a = 1", `SET "local" = 1`, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "RESET a",
		"SET CONSTRAINTS ALL DEFERRED", "SET LOCAL a = 1; SET b = 1", "SELECT set_config('a', 'b', true)", "BEGIN",
	} {
		require.False(t, Parse(sql).Local, sql)
	}
}

func TestDDL(t *testing.T) {
	for _, sql := range []string{
		"CREATE TABLE t ()", "alter table t add a int", "DROP VIEW v", "SELECT 1 INTO t", "SELECT 1; DROP TABLE t",
		"WITH a AS (INSERT INTO t DEFAULT VALUES RETURNING 1) SELECT * INTO u FROM a", "COMMENT ON TABLE t IS 'x'",
	} {
		require.True(t, Parse(sql).DDL, sql)
	}
	for _, sql := range []string{"SELECT 1", "INSERT INTO t DEFAULT VALUES", "SELECT 'create'", "WITH a AS (INSERT INTO t DEFAULT VALUES RETURNING 1) TABLE a"} {
		require.False(t, Parse(sql).DDL, sql)
	}
}

func TestSeveralStatements(t *testing.T) {
	for sql, want := range map[string]bool{
		"SELECT 1": false, "SELECT 1;": false, ";;SELECT 1;;": false, "SELECT ';'": false, "": false,
		"SELECT 1; SELECT 2": true, ";SELECT 1;;SELECT 2": true, "SELECT 1; x": true,
	} {
		require.Equal(t, want, Parse(sql).Several, sql)
	}
}

func TestParams(t *testing.T) {
	for sql, want := range map[string]int{
		"SELECT 1": 0, "SELECT $2, $1": 2, "SELECT '$7', \"$8\", a$9 /* $10 */": 0, "SELECT $65535": 65535, "SELECT $1; SELECT $3": 3,
	} {
		require.Equal(t, want, Parse(sql).Params, sql)
	}
}

func TestPlainSteps(t *testing.T) {
	for step, texts := range map[Step][]string{
		Begin:      {"BEGIN", "begin work;", "BEGIN TRANSACTION", "/* a */ START TRANSACTION;"},
		Commit:     {"COMMIT", "commit work", "END TRANSACTION", "END;"},
		Rollback:   {"ROLLBACK", "ABORT", "rollback transaction", "ABORT WORK"},
		Savepoint:  {"SAVEPOINT a", `savepoint "a";`, "SAVEPOINT A"},
		RollbackTo: {"ROLLBACK TO a", "ROLLBACK WORK TO SAVEPOINT A", `ROLLBACK TRANSACTION TO SAVEPOINT "a" ;`},
		Release:    {"RELEASE a", "release savepoint a"},
		NoStep: {
			"", "SELECT 1", "BEGIN READ ONLY", "BEGIN ISOLATION LEVEL SERIALIZABLE", "START TRANSACTION READ WRITE", "COMMIT AND CHAIN",
			"ROLLBACK AND NO CHAIN", "COMMIT; BEGIN", "BEGIN; SELECT 1", "SAVEPOINT", "SAVEPOINT a b", "SAVEPOINT 1", "SAVEPOINT select",
			"ROLLBACK TO", "ROLLBACK TO SAVEPOINT a b", "RELEASE a, b", "COMMIT PREPARED 'a'", "PREPARE TRANSACTION 'a'", "SAVEPOINT $1", "COMMIT x",
		},
	} {
		for _, sql := range texts {
			st := Parse(sql)
			require.Equal(t, step, st.Step, sql)
			if step >= Savepoint {
				require.Equal(t, "a", st.Savepoint, sql)
			}
		}
	}
	require.Equal(t, "savepoint", Parse("RELEASE savepoint").Savepoint)
	require.Equal(t, "savepoint", Parse("ROLLBACK TO savepoint").Savepoint)
	require.Equal(t, "savepoint", Parse("ROLLBACK TO SAVEPOINT savepoint").Savepoint)
}
