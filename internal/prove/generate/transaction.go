package generate

import (
	"database/sql"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// transaction makes a transaction of a few statements, limited by calls or, as a
// held connection allows, by statements.
func (g *generator) transaction() []history.Statement {
	plain := g.plain
	defer func() { g.plain, g.inside, g.tame = plain, false, false }()
	g.inside = true
	g.tame = g.values.IntN(10) < 7 || g.gentle && g.plain && g.values.IntN(4) > 0
	g.plain = plain || g.tame || g.values.IntN(10) < 4

	out := g.beginning()
	byText := out[0].Call != history.Begin
	out = append(out, g.body()...)
	switch {
	case byText && g.values.IntN(15) == 0:
		out = append(out, exec(g.one("COMMIT AND CHAIN", "ROLLBACK AND CHAIN")))
		out = append(out, g.body()...)
	case !byText && g.values.IntN(60) == 0 && len(g.scripts) == 1 && !g.settings.Conn:
		out = append(out, exec(g.one("COMMIT", "ROLLBACK"))) // and then once more, by the call
	}
	commit := g.values.IntN(10) < 6
	switch {
	case byText && commit:
		out = append(out, exec(g.one("COMMIT", "COMMIT", "end", "commit work;", "END TRANSACTION")))
	case byText:
		out = append(out, exec(g.one("ROLLBACK", "abort", "rollback;")))
	case commit:
		out = append(out, history.Statement{Call: history.Commit})
	default:
		out = append(out, history.Statement{Call: history.Rollback})
	}
	last := &out[len(out)-1]
	last.Unordered = commit && g.world.deferrable // any row may be the first to fail
	return out
}

func exec(text string) history.Statement { return history.Statement{SQL: text} }

// one chooses one of the texts.
func (g *generator) one(texts ...string) string { return texts[g.values.IntN(len(texts))] }

// beginning begins a transaction, most of them at the level that is the default.
func (g *generator) beginning() []history.Statement {
	n := g.values.IntN(100)
	if g.tame && g.values.IntN(4) > 0 {
		n = 0
	}
	if g.values.IntN(4) == 0 {
		switch {
		case n < 65:
			return []history.Statement{exec(g.one("BEGIN", "BEGIN", "begin;", "START TRANSACTION", "BEGIN TRANSACTION READ WRITE"))}
		case n < 80:
			return []history.Statement{exec(g.one("BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN ISOLATION LEVEL SERIALIZABLE", "BEGIN ISOLATION LEVEL READ COMMITTED"))}
		case n < 90:
			return []history.Statement{exec("BEGIN"), exec(g.one(
				"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET TRANSACTION READ ONLY", "SET LOCAL transaction_isolation = 'serializable'"))}
		case n < 95 && len(g.scripts) == 1:
			// With several it would wait for those of the other side: safe
			// snapshots are the whole server's.
			return []history.Statement{exec("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE")}
		default:
			return []history.Statement{exec("START TRANSACTION READ ONLY")}
		}
	}
	begin := history.Statement{Call: history.Begin}
	switch {
	case n < 60:
	case n < 70:
		begin.Isolation = sql.LevelReadCommitted
	case n < 72:
		begin.Isolation = sql.LevelReadUncommitted
	case n < 81:
		begin.Isolation = sql.LevelRepeatableRead
	case n < 89:
		begin.Isolation = sql.LevelSerializable
	case n < 94:
		begin.ReadOnly = true
	case n < 97:
		begin.Isolation, begin.ReadOnly = sql.LevelRepeatableRead, true
	case n < 98:
		begin.Isolation = sql.LevelLinearizable // refused by the real driver
	}
	return []history.Statement{begin}
}

// body makes what stands in a transaction. An error in it makes all that follows
// fail, up to the end or to a ROLLBACK TO.
func (g *generator) body() []history.Statement {
	var out []history.Statement
	var set []string
	calm := g.values.IntN(3) > 0 || g.tame && g.values.IntN(2) == 0 // no savepoints, no errors
	for left := 2 + g.values.IntN(7); left > 0; {
		n := 100
		if !calm {
			n = g.values.IntN(100)
		}
		switch {
		case n < 14:
			set = append(set, g.mark())
			out = append(out, exec(g.one("SAVEPOINT ", "SAVEPOINT ", "savepoint ")+set[len(set)-1]))
		case n < 22 && (len(set) > 0 || !g.tame):
			out = append(out, exec(g.one("ROLLBACK TO ", "ROLLBACK TO SAVEPOINT ", "rollback work to ")+g.markOf(set)))
		case n < 28 && (len(set) > 0 || !g.tame):
			out = append(out, exec(g.one("RELEASE ", "release savepoint ")+g.markOf(set)))
		case n < 36 && !g.tame:
			m := g.mark()
			out = append(out, exec("SAVEPOINT "+m), g.failing())
			if g.values.IntN(2) == 0 {
				out = append(out, g.statement())
			}
			out = append(out, exec("ROLLBACK TO "+m))
			left--
		case n < 39 && (!g.tame || n == 38):
			out = append(out, g.failing())
			left--
		case n < 45 && g.world.deferrable:
			out = append(out, exec(g.one("SET CONSTRAINTS ALL DEFERRED", "SET CONSTRAINTS ALL IMMEDIATE")))
		case n < 41 && !g.plain:
			out = append(out, g.lockTable())
		case n < 52 && !g.plain:
			out = append(out, g.copyTo(g.eligible()))
			left--
		case n < 56 && !g.plain:
			out = append(out, g.cursor()...)
			left -= 2
		case n < 59 && !g.plain:
			out = append(out, g.probe())
		case n < 70 && g.sessions:
			out = append(out, g.sessionSetting())
		default:
			out = append(out, g.statement())
			left--
		}
	}
	return out
}

// probe asks in what state the transaction is.
func (g *generator) probe() history.Statement {
	return history.Statement{Call: history.Query, SQL: g.one("SELECT 1", "SHOW transaction_isolation", "SHOW transaction_read_only", "SELECT now() = transaction_timestamp()")}
}

// mark is the name of a savepoint.
func (g *generator) mark() string { return g.one("s", "s", "s", "S", `"s"`, "t", "t", `"S p"`) }

// markOf is the name of one of the savepoints that were set, if any was, or of
// one that is not there.
func (g *generator) markOf(set []string) string {
	if len(set) == 0 || g.values.IntN(12) == 0 {
		return g.one("missing", "s", "t")
	}
	return g.one(set...)
}

// failing makes a statement that is likely to fail.
func (g *generator) failing() history.Statement {
	g.newShape()
	switch g.values.IntN(4) {
	case 0:
		return history.Statement{Call: history.Query, SQL: "SELECT 1/0"}
	case 1:
		return g.mistake()
	case 2: // a key that is likely to be there
		g.repeats = true
		defer func() { g.repeats = false }()
		return g.insert()
	default:
		g.dares = true
		defer func() { g.dares = false }()
		return g.statement()
	}
}

// lockTable locks a whole table to the end of the transaction.
func (g *generator) lockTable() history.Statement {
	return exec("LOCK TABLE " + g.eligible().qualified() + g.one(
		"", " IN SHARE MODE", " IN ROW EXCLUSIVE MODE", " IN EXCLUSIVE MODE NOWAIT", " IN ACCESS SHARE MODE", " IN SHARE ROW EXCLUSIVE MODE"))
}

// rowLock is what stands at the end of a SELECT by key that locks its row.
func (g *generator) rowLock() string {
	return g.one("FOR UPDATE", "FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE", "FOR KEY SHARE") +
		g.one("", "", "", " NOWAIT", " SKIP LOCKED")
}
