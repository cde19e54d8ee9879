package generate

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/prove/history"
)

func TestSameSeedSameHistory(t *testing.T) {
	for i := range uint64(5) {
		// As text, since NaN is not equal to itself.
		require.Equal(t, History(1, i, 200).GoTest("T"), History(1, i, 200).GoTest("T"))
	}
	require.NotEqual(t, History(1, 0, 50).GoTest("T"), History(2, 0, 50).GoTest("T"))
	require.NotEqual(t, History(1, 0, 50).GoTest("T"), History(1, 1, 50).GoTest("T"))
}

func TestEveryHistoryCanBePrinted(t *testing.T) {
	for i := range uint64(40) {
		src := "package x\n" + History(3, i, 300).GoTest("TestX")
		_, err := parser.ParseFile(token.NewFileSet(), "x.go", src, 0)
		require.NoError(t, err)
	}
}

func TestEveryArgumentCanBePrinted(t *testing.T) {
	for _, k := range newKinds() {
		for _, pool := range [][]value{k.plain, k.edge, k.wrong, k.huge(), refused, {null}} {
			for _, v := range pool {
				require.NotPanics(t, func() { _ = history.Statement{Args: v.args}.String() }, k.name)
			}
		}
	}
}

func TestPlainlyKeyedStatementsDominate(t *testing.T) {
	total, keyed := 0, 0
	for i := range uint64(20) {
		for _, st := range History(4, i, 300).Statements {
			if st.Call > history.Query {
				continue
			}
			total++
			text := strings.ToUpper(st.SQL)
			first := strings.ContainsAny(text, "=") && strings.Contains(text, "WHERE") ||
				strings.HasPrefix(text, "INSERT") || strings.Contains(text, " IN (")
			if first && !st.Unordered && !st.DDL {
				keyed++
			}
		}
	}
	require.Greater(t, keyed*100/total, 65)
}

// TestEverythingComesUp guards the generator against losing a kind of schema
// or statement.
func TestEverythingComesUp(t *testing.T) {
	var all, keys strings.Builder
	calls, prepared := map[history.Call]int{}, map[history.Prepared]int{}
	for i := range uint64(2400) {
		g := History(5, i, 200)
		for _, s := range g.Schema {
			all.WriteString(s + "\n")
			if rest, ok := strings.CutPrefix(s, "CREATE TABLE varied (\n  id "); ok {
				keys.WriteString(strings.SplitN(rest, ",\n", 2)[0] + "\n")
			}
		}
		for _, st := range g.Statements {
			all.WriteString(strings.Join(strings.Fields(strings.ToUpper(st.SQL)), " ") + "\n")
			calls[st.Call]++
			prepared[st.Prepared]++
		}
	}
	for _, k := range newKinds() {
		mustContain(t, all.String(), " "+k.name)
		if k.key {
			mustContain(t, keys.String(), k.name+"\n")
		}
	}
	for _, s := range []string{
		"CREATE VIEW", "CREATE TRIGGER", "CREATE RULE", "INHERITS", "PARTITION BY", "CHECK (", " UNIQUE", "REFERENCES",
		"nextval", "IDENTITY", "gen_random_uuid", "now()", "CREATE SCHEMA other", "GENERATED ALWAYS",
		"RETURNING *", "ON CONFLICT", "EXCLUDED.", "DEFAULT VALUES", "LIMIT 1", "ANY (", " IN (", "EXISTS (", "COUNT (",
		"FOR UPDATE", "WITH DONE AS", "TRUNCATE", "ADD COLUMN", "SAVEPOINT", "JOIN CHILD", "CURRVAL", "BUMP()", "FROM SEEN", "/*", "--", "::", "CAST(",
		"IS NOT NULL", "IS DISTINCT", "DO $$", "NOW()",
		"ROLLBACK TO", "RELEASE", "FOR NO KEY UPDATE", "NOWAIT", "SKIP LOCKED", "LOCK TABLE", "BEGIN", "COMMIT AND CHAIN", "SET TRANSACTION",
		"MERGE INTO", "ROLLUP", "FETCH", "EXPLAIN", "SETVAL", "SET CONSTRAINTS", "PG_NOTIFY", "COALESCE (", "ON CONSTRAINT", "> NOW()",
		"CREATE TABLE grandchild", "MATCH FULL", "NULLS NOT DISTINCT", "INCLUDE (", "PARTITION BY LIST", "PARTITION BY RANGE", "ON DELETE SET DEFAULT", "ON UPDATE CASCADE", "GENERATED ALWAYS AS IDENTITY",
		"DROP COLUMN", " TO RENAMED", "RENAME COLUMN RENAMED TO", "RENAME TO MOVED", "SET DATA TYPE", " USING ", "SET NOT NULL", "DROP NOT NULL", "SET DEFAULT", "DROP DEFAULT",
		"ADD CONSTRAINT EXTRA CHECK", "ADD CONSTRAINT EXTRA UNIQUE", "ADD CONSTRAINT EXTRA FOREIGN KEY", "DROP CONSTRAINT EXTRA", "CREATE UNIQUE INDEX EXTRA", "DROP INDEX EXTRA",
		"DROP TABLE PLAIN", "RESTART IDENTITY", "TO STDOUT", `DROP CONSTRAINT "PLAIN_PKEY"`,
		"CREATE TEMP TABLE", "SET LOCAL", "SET ROLE", "DISCARD ALL", "LISTEN", "PG_ADVISORY_XACT_LOCK",
	} {
		mustContain(t, all.String(), s)
	}
	require.Regexp(t, `(?m)^(SET (STATEMENT_TIMEOUT|TIME ZONE|BYTEA_OUTPUT|EXTRA_FLOAT_DIGITS|SEARCH_PATH|INTERVALSTYLE)|RESET ALL)`, all.String())
	for call := history.Exec; call <= history.Copy; call++ {
		require.NotZero(t, calls[call], call)
	}
	for p := history.Direct; p <= history.Kept; p++ {
		require.NotZero(t, prepared[p], p)
	}
}

func TestTransactionsAndConnectionsHaveTheirShare(t *testing.T) {
	const histories = 200
	total, inside, several := 0, 0, 0
	for i := range uint64(histories) {
		h := History(6, i, 300)
		if h.Connections() > 1 {
			several++
		}
		open := make([]bool, h.Connections())
		for _, st := range h.Statements {
			begins, ends, _ := st.Limits()
			if total++; open[st.Conn] {
				inside++
			}
			open[st.Conn] = begins || open[st.Conn] && !ends
		}
		require.NotContains(t, open, true, "a transaction is left open")
	}
	require.InDelta(t, 40, several*100/histories, 10)
	require.Greater(t, inside*100/total, 20)
}

// mustContain is require.Contains without megabytes of text in the message.
func mustContain(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%q never comes up", part)
	}
}

func TestGeneratedArgumentsKeepOutOfTheMintedRange(t *testing.T) {
	for _, k := range newKinds() {
		for _, pool := range [][]value{k.plain, k.edge, k.wrong} {
			for _, v := range pool {
				for _, arg := range v.args {
					n, ok := arg.(int64)
					require.False(t, ok && n >= history.MintedFirst && n <= history.MintedLast, "%s %d", k.name, n)
				}
			}
		}
	}
}
