package writebehind_test

import (
	"database/sql"
	"testing"

	"github.com/writebehind/writebehind/internal/prove/prove"
)

// What the differential tester has found, cut down to the shortest history.

func TestParameterThatIsUsedForNothingIsRefused(t *testing.T) {
	prove.Replay(t, prove.History{
		Schema:     []string{"CREATE TABLE minted (id int8 PRIMARY KEY)"},
		Statements: []prove.Statement{{SQL: "DELETE FROM minted WHERE id = $2", Args: []any{nil, int64(0)}}},
	})
}

func TestArgumentsOfAnUpdateOfNoRowAreRead(t *testing.T) {
	prove.Replay(t, prove.History{
		Schema:     []string{"CREATE TABLE minted (id int4 PRIMARY KEY, at timestamp)"},
		Statements: []prove.Statement{{SQL: `UPDATE "minted" SET "at" = $1 WHERE "id" = 0`, Args: []any{""}}},
	})
}

func TestComparingJSONIsRefused(t *testing.T) {
	prove.Replay(t, prove.History{
		Schema: []string{"CREATE TABLE plain (id int2 PRIMARY KEY, c3 json)"},
		Statements: []prove.Statement{
			{Call: prove.Query, SQL: "select * from plain where plain.id = $1 and c3 = NULL", Args: []any{int64(0)}},
			{SQL: "UPDATE plain SET id = 0 WHERE $1 = id AND C3 = NULL", Args: []any{int64(0)}},
			{Call: prove.Query, SQL: "SELECT * FROM plain WHERE id = $1 AND c3 = 'null'::json", Args: []any{int64(0)}},
			{SQL: "UPDATE plain SET c3 = NULL WHERE id = 0 AND c3 = '1'::json"},
			{SQL: "DELETE FROM plain WHERE id = 0 AND c3 = $1", Args: []any{"1"}},
		},
	})
}

func TestPreparingInATransactionTakesItsSnapshotAfterTheFlush(t *testing.T) {
	prove.Replay(t, prove.History{
		Schema: []string{"CREATE TABLE plain (id int8 PRIMARY KEY, n int4)", "INSERT INTO plain VALUES (2, 1)"},
		Statements: []prove.Statement{
			{SQL: "UPDATE plain SET n = 5 WHERE id = 2"},
			{Call: prove.Begin, Isolation: sql.LevelRepeatableRead},
			{Call: prove.Query, SQL: "SELECT EXISTS (SELECT * FROM plain WHERE id = 2)", Prepared: prove.Once},
			{Call: prove.Query, SQL: "SELECT * FROM plain WHERE id = 2"},
			{Call: prove.Commit},
		},
	})
}

func TestALiteralThatIsCastMustFitTheType(t *testing.T) {
	prove.Replay(t, prove.History{
		Schema: []string{"CREATE TABLE minted (id int8 PRIMARY KEY, c2 int2 NOT NULL, c3 numeric(4,1))", "INSERT INTO minted VALUES (1, 2, 3.25)"},
		Statements: []prove.Statement{
			{SQL: "DELETE FROM public.minted WHERE id = 1 AND c2 = (-32769)::int2"},
			{SQL: "DELETE FROM public.minted WHERE id = 1 AND c2 = (-32769)"},
			{Call: prove.Query, SQL: "SELECT * FROM minted WHERE id = 1 AND c3 = 3.25::numeric"},
			{Call: prove.Query, SQL: "SELECT * FROM minted WHERE id = 1 AND c3 = 3.30::numeric"},
			{Call: prove.Query, SQL: "SELECT * FROM minted WHERE id = '1'::bigint AND c2 = '2'::smallint"},
		},
	})
}

func TestWhatHasNoOperatorIsRefusedEvenForNULL(t *testing.T) {
	prove.Replay(t, prove.History{
		Schema: []string{"CREATE TABLE plain (id int8 PRIMARY KEY, c2 text, c3 json)", "INSERT INTO plain VALUES (1, 'a', '1')"},
		Statements: []prove.Statement{
			{SQL: "UPDATE plain SET c2 = c2 + $1 WHERE id = 1", Args: []any{nil}},
			{Call: prove.Query, SQL: "SELECT * FROM plain WHERE id = 1"},
			{Call: prove.Query, SQL: "SELECT * FROM plain WHERE id = 1 ORDER BY c3"},
			{SQL: "INSERT INTO plain VALUES (1, NULL, NULL) ON CONFLICT (id) DO UPDATE SET c2 = plain.c2 + EXCLUDED.c2"},
			{Call: prove.Query, SQL: "SELECT * FROM plain WHERE id = 1"},
		},
	})
}

func TestAStatementOfABrokenConnectionIsClosed(t *testing.T) {
	prove.Replay(t, prove.History{
		Schema: []string{
			`CREATE TABLE plain (
  id int2,
  PRIMARY KEY (id)
)`,
		},
		Statements: []prove.Statement{
			{Conn: 1, Call: prove.Query, SQL: `SELECT * FROM "plain" WHERE "plain"."id" = $1::int2`, Args: []any{int64(0)}, Prepared: prove.Kept},
			{Conn: 1, SQL: "START TRANSACTION"},
			{Conn: 1, Call: prove.Begin},
		},
	})
}

func TestAColumnOfACompositeTypeIsFlushed(t *testing.T) {
	prove.Replay(t, prove.History{
		Schema: []string{"CREATE TYPE pair AS (a int4, b text)", "CREATE TABLE plain (id int8 PRIMARY KEY, c pair, n int4)", "INSERT INTO plain VALUES (1, '(1,a)', 1)"},
		Statements: []prove.Statement{
			{SQL: "UPDATE plain SET n = 2, c = NULL WHERE id = 1"},
			{SQL: "INSERT INTO plain VALUES (2, NULL, 1)"},
			{SQL: "INSERT INTO plain VALUES (3, $1, 1), (4, NULL, 2)", Args: []any{"(1,b)"}},
			{SQL: "INSERT INTO plain VALUES (2, NULL, 1) ON CONFLICT (id) DO UPDATE SET c = EXCLUDED.c, n = 3"},
			{Call: prove.Query, SQL: "SELECT * FROM plain ORDER BY id LIMIT 5"},
			{SQL: "DELETE FROM plain WHERE id = 2"},
			{Call: prove.Query, SQL: "SELECT * FROM plain ORDER BY n"},
		},
	})
}

func TestADeferrableConstraintIsNoArbiter(t *testing.T) {
	prove.Replay(t, prove.History{
		Schema: []string{"CREATE TABLE plain (id int8 PRIMARY KEY, c2 text)", "ALTER TABLE plain ADD UNIQUE (c2) DEFERRABLE INITIALLY DEFERRED"},
		Statements: []prove.Statement{
			{SQL: "INSERT INTO plain (id, c2) VALUES (22, 'b'), (23, NULL) ON CONFLICT DO NOTHING"},
			{SQL: "INSERT INTO plain (id, c2) VALUES (22, 'b'), (23, NULL) ON CONFLICT (id) DO NOTHING"},
			{SQL: "INSERT INTO plain (id, c2) VALUES (24, 'b')"},
		},
	})
}

func TestAConnectionThatHasBrokenSaysWhatItWouldHaveSaid(t *testing.T) {
	prove.Replay(t, prove.History{
		Schema: []string{"CREATE TABLE plain (id int8 PRIMARY KEY, c2 text)"},
		Statements: []prove.Statement{
			{Conn: 1, Call: prove.Query, SQL: "SELECT c2 FROM plain WHERE id = 1"},
			{Call: prove.Query, SQL: "COPY plain TO STDOUT"}, // which lib/pq does not know
			{SQL: "UPDATE plain SET c2 = $1 WHERE id = $2", Args: []any{nil, nil}},
		},
	})
}
