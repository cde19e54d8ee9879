package generate

import (
	"fmt"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// mistake makes a statement that is refused whatever the data.
func (g *generator) mistake() history.Statement {
	t := g.eligible()
	name, key := t.qualified(), quote(t.cols[t.key[0]].name)
	if t.plainName {
		key = t.cols[t.key[0]].name
	}
	arg := t.keys[0][g.values.IntN(len(t.keys[0]))].args[0]
	list := []history.Statement{
		{Call: history.Query, SQL: fmt.Sprintf("SELECT * FROM %s WHERE %s = $1", name, key)}, // no argument
		{Call: history.Query, SQL: fmt.Sprintf("SELECT * FROM %s WHERE %s = $1", name, key), Args: []any{arg, arg}},
		{Call: history.Query, SQL: fmt.Sprintf("SELECT nothing FROM %s WHERE %s = $1", name, key), Args: []any{arg}},
		{SQL: fmt.Sprintf("UPDATE %s SET nothing = 1 WHERE %s = $1", name, key), Args: []any{arg}},
		{SQL: "UPDATE nowhere SET a = 1 WHERE id = 1"},
		{SQL: fmt.Sprintf("UPDATE %s SET WHERE %s = $1", name, key), Args: []any{arg}},
		{SQL: fmt.Sprintf("DELETE FROM %s WHERE %s = $2", name, key), Args: []any{arg, arg}},
		{SQL: fmt.Sprintf("DELETE FROM %s WHERE %s = $1 AND %s = $1::text", name, key, key), Args: []any{arg}},
		{SQL: fmt.Sprintf("INSERT INTO %s (%s) VALUES ($1, $1)", name, key), Args: []any{arg}},
		{SQL: fmt.Sprintf("INSERT INTO %s (%s, %s) VALUES ($1, $1)", name, key, key), Args: []any{arg}},
		{SQL: fmt.Sprintf("INSERT INTO %s (%s) VALUES (DEFAULT)", name, key)},
		{Call: history.Query, SQL: fmt.Sprintf("SELECT * FROM %s AS o WHERE %s.%s = $1", name, name, key), Args: []any{arg}},
		{Call: history.Query, SQL: fmt.Sprintf("SELECT %s.* FROM %s o WHERE %s = $1", name, name, key), Args: []any{arg}},
		{Call: history.Query, SQL: fmt.Sprintf("SELECT * FROM %s WHERE %s = ? ", name, key), Args: []any{arg}},
		{Call: history.Query, SQL: fmt.Sprintf("SELECT * FROM %s WHERE %s = 'open", name, key)},
		{Call: history.Query, SQL: fmt.Sprintf("SELECT * FROM %s WHERE %s = $1 GROUP BY 1", name, key), Args: []any{arg}},
		{Call: history.Query, SQL: fmt.Sprintf("SELECT * FROM ONLY %s WHERE %s = $1", name, key), Args: []any{arg}},
		{Call: history.Query, SQL: "SELECT 1/0"},
		{Call: history.Query, SQL: "SELECT $1", Args: []any{"a"}},
		{SQL: "COMMIT AND CHAIN"},
	}
	st := list[g.shape.IntN(len(list))]
	if g.shape.IntN(4) == 0 {
		st.Prepared = history.Kept
	}
	return st
}

// rare makes what applications do once in a while: empty a table, change the
// schema, change the session.
func (g *generator) rare() history.Statement {
	t := g.eligible()
	name := t.qualified()
	switch g.shape.IntN(12) {
	case 0:
		return change("TRUNCATE " + name + " CASCADE")
	case 1, 2:
		g.world.columns++
		c := &column{
			name: fmt.Sprintf("n%d", g.world.columns), kind: g.world.kinds[g.shape.IntN(len(g.world.kinds))], def: true,
		}
		text := fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", name, c.name, c.kind.name)
		if g.shape.IntN(2) == 0 {
			text += " DEFAULT " + c.kind.plain[0].lit
		}
		t.cols = append(t.cols, c)
		return change(text)
	case 3:
		return change(fmt.Sprintf("CREATE INDEX ON %s (%s)", name, g.columnName(t)))
	case 4:
		return change(fmt.Sprintf("ALTER TABLE %s ADD CHECK (%s IS NOT NULL)", name, g.columnName(t)))
	case 5:
		return change(fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT", name, g.columnName(t)))
	case 6:
		return change(fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL", name, g.columnName(t)))
	case 7:
		return change("CREATE TABLE IF NOT EXISTS later (id int8 PRIMARY KEY, v text)")
	case 8:
		if g.values.IntN(2) > 0 || !g.sessions { // what follows runs on a session of its own kind
			return history.Statement{SQL: "ANALYZE " + name}
		}
		return history.Statement{SQL: []string{
			"SET statement_timeout = '1min'", "SET TIME ZONE 'Asia/Tokyo'", "SET bytea_output = 'escape'", "SET extra_float_digits = 0", "RESET ALL",
			"SET search_path = other, public", "SET intervalstyle = iso_8601",
		}[g.shape.IntN(7)]}
	case 9:
		return change(fmt.Sprintf("COMMENT ON TABLE %s IS 'x'", name))
	case 10:
		if !g.sessions {
			return history.Statement{SQL: "ANALYZE " + name}
		}
		return history.Statement{SQL: "DO $$ BEGIN UPDATE plain SET " + g.world.tables[0].hasSum("int")[0].name + " = 5; END $$"}
	default:
		return history.Statement{Call: history.Query, SQL: "SELECT count(*) FROM later"}
	}
}

func (g *generator) columnName(t *table) string {
	cols := t.others()
	name := cols[g.shape.IntN(len(cols))].name
	if !t.plainName {
		return quote(name)
	}
	return name
}
