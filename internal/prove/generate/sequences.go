package generate

import (
	"slices"
	"strings"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// drawsPlainly are the statements that draw from no sequence but those of the tables
// they name.
var drawsPlainly = []string{
	"SELECT", "INSERT", "UPDATE", "DELETE", "VALUES", "SHOW", "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE",
}

// certain returns a statement to be sent, another one if it asks for the value that
// the session has drawn last where that may be PostgreSQL's or the driver's: after a
// statement that may draw unseen, the driver under test lets PostgreSQL say so, which
// knows of no deferred INSERT (README, "currval").
func (g *generator) certain(st history.Statement) history.Statement {
	text := strings.ToLower(st.SQL)
	if strings.Contains(text, "currval(") || strings.Contains(text, "lastval(") {
		if g.unsure[st.Conn] {
			return history.Statement{Conn: st.Conn, Call: history.Query, SQL: "SELECT 1"}
		}
		return st
	}
	words := strings.Fields(strings.ToUpper(text))
	g.unsure[st.Conn] = g.unsure[st.Conn] || st.DDL || st.Call == history.Copy ||
		len(words) > 0 && !slices.Contains(drawsPlainly, strings.TrimRight(words[0], ";")) ||
		strings.ContainsAny(strings.TrimRight(text, "; "), ";") || slices.ContainsFunc([]string{"odd", "bump", "joint", "seen", "val(", "pg_"}, func(s string) bool {
		return strings.Contains(text, s)
	})
	return st
}
