package generate

import (
	"database/sql"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// transaction makes a transaction of a few statements.
func (g *generator) transaction() []history.Statement {
	begin := history.Statement{Call: history.Begin}
	switch g.values.IntN(12) {
	case 0:
		begin.Isolation = sql.LevelRepeatableRead
	case 1:
		begin.Isolation = sql.LevelSerializable
	case 2:
		begin.ReadOnly = true
	case 3:
		begin.Isolation = sql.LevelLinearizable // refused by the real driver
	}
	end := history.Statement{Call: history.Commit}
	if g.values.IntN(3) == 0 {
		end.Call = history.Rollback
	}
	return append(append([]history.Statement{begin}, g.body()...), end)
}

// textTransaction makes one whose limits are sent as text, on a held connection.
func (g *generator) textTransaction() []history.Statement {
	end := []string{"COMMIT", "ROLLBACK", "end", "commit work;"}[g.values.IntN(4)]
	begin := []string{"BEGIN", "begin;", "START TRANSACTION", "BEGIN ISOLATION LEVEL REPEATABLE READ"}[g.values.IntN(4)]
	return append(append([]history.Statement{{SQL: begin}}, g.body()...), history.Statement{SQL: end})
}

// body makes what stands in a transaction. An error in it is likely to make
// all that follows fail, as it should.
func (g *generator) body() []history.Statement {
	var out []history.Statement
	for range 1 + g.values.IntN(6) {
		out = append(out, g.statement())
	}
	if g.values.IntN(4) == 0 {
		at := g.values.IntN(len(out))
		undo := history.Statement{SQL: []string{"ROLLBACK TO SAVEPOINT s", "RELEASE s", "rollback to s;"}[g.values.IntN(3)]}
		out = append(out[:at:at], append(append([]history.Statement{{SQL: "SAVEPOINT s"}}, out[at:]...), undo)...)
	}
	return out
}
