package generate

import (
	"fmt"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// arbitrary makes SQL of a form that no driver in front of PostgreSQL knows, about
// tables that are opted in. What it does and returns depends on no order of rows.
func (g *generator) arbitrary() history.Statement {
	t := g.eligible()
	name, key := t.qualified(), t.written(t.cols[t.key[0]])
	counters := t.hasSum("int")
	if len(counters) == 0 || len(t.key) > 1 {
		t = g.world.tables[0]
		name, key, counters = t.qualified(), t.written(t.cols[t.key[0]]), t.hasSum("int")
	}
	c := t.written(counters[0])
	v := g.key(t, false)[0]
	arg, lit := v.args[0], v.lit
	if lit == "" {
		lit = t.keys[0][0].lit
	}
	ask := func(layout string, args ...any) history.Statement {
		return unordered(history.Query, fmt.Sprintf(layout, args...))
	}
	run := func(layout string, args ...any) history.Statement {
		return unordered(history.Exec, fmt.Sprintf(layout, args...))
	}
	list := []func() history.Statement{
		func() history.Statement {
			return ask("SELECT %[2]s, count(*) OVER (PARTITION BY %[3]s) FROM %[1]s", name, key, c)
		},
		func() history.Statement {
			return ask("SELECT %[3]s FROM %[1]s UNION SELECT %[3]s + 1 FROM %[1]s WHERE %[3]s < 5", name, key, c)
		},
		func() history.Statement {
			return ask("SELECT %[3]s FROM %[1]s EXCEPT ALL SELECT 0 INTERSECT SELECT 1", name, key, c)
		},
		func() history.Statement {
			return ask("SELECT %[3]s, count(*) FROM %[1]s GROUP BY ROLLUP (%[3]s) HAVING count(*) > 0", name, key, c)
		},
		func() history.Statement {
			return ask("SELECT a.%[2]s FROM %[1]s a JOIN %[1]s b USING (%[2]s) LEFT JOIN LATERAL (SELECT 1) l ON true", name, key, c)
		},
		func() history.Statement {
			return ask("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i, (SELECT count(*) FROM %[1]s WHERE %[3]s = i) FROM n", name, key, c)
		},
		func() history.Statement {
			st := ask("WITH x AS (UPDATE %[1]s SET %[3]s = 1 WHERE %[2]s = $1 RETURNING *) SELECT count(*) FROM x, %[1]s", name, key, c)
			st.Args = []any{arg}
			return st
		},
		func() history.Statement {
			st := ask("WITH k AS (SELECT %[2]s FROM %[1]s WHERE %[2]s = $1) UPDATE %[1]s SET %[3]s = %[3]s %% 100 + 1 WHERE %[2]s IN (SELECT * FROM k) RETURNING %[3]s", name, key, c)
			st.Args = []any{arg}
			return st
		},
		func() history.Statement {
			st := run("UPDATE %[1]s AS a SET %[3]s = b.%[3]s FROM %[1]s b WHERE a.%[2]s = b.%[2]s AND b.%[2]s = $1", name, key, c)
			st.Args = []any{arg}
			return st
		},
		func() history.Statement {
			st := run("DELETE FROM %[1]s AS a USING %[1]s b WHERE a.%[2]s = b.%[2]s AND b.%[2]s = $1", name, key, c)
			st.Args = []any{arg}
			return st
		},
		func() history.Statement {
			return run("MERGE INTO %[1]s AS m USING (SELECT 1 AS one) s ON m.%[2]s = %[4]s WHEN MATCHED AND m.%[3]s > 5 THEN DELETE WHEN MATCHED THEN UPDATE SET %[3]s = 6", name, key, c, lit)
		},
		func() history.Statement {
			return run("DO $$ BEGIN UPDATE %[1]s SET %[3]s = 2 WHERE %[2]s = %[4]s; END $$", name, key, c, lit)
		},
		func() history.Statement {
			return run("UPDATE %[1]s SET %[3]s = 3 WHERE %[2]s = %[4]s; UPDATE %[1]s SET %[3]s = %[3]s + 1 WHERE %[2]s = %[4]s", name, key, c, lit)
		},
		func() history.Statement {
			return ask("SELECT %[3]s FROM %[1]s WHERE %[2]s = %[4]s; SELECT count(*) FROM %[1]s", name, key, c, lit)
		},
		func() history.Statement { // the second one fails and takes back the first
			return run("UPDATE %[1]s SET %[3]s = 4 WHERE %[2]s = %[4]s; SELECT 1/0", name, key, c, lit)
		},
		func() history.Statement {
			return run("EXPLAIN UPDATE %[1]s SET %[3]s = 9 WHERE %[2]s = %[4]s", name, key, c, lit)
		},
		func() history.Statement {
			return run("EXPLAIN ANALYZE UPDATE %[1]s SET %[3]s = 8 WHERE %[2]s = %[4]s", name, key, c, lit)
		},
		func() history.Statement {
			return ask("SELECT count(*) FROM %[1]s TABLESAMPLE SYSTEM (100)", name)
		},
		func() history.Statement { return ask("TABLE %s", name) },
		func() history.Statement {
			return ask("SELECT %[2]s, ROW(%[3]s, 1), ARRAY[%[3]s] FROM ONLY %[1]s", name, key, c)
		},
		func() history.Statement {
			return ask("SELECT query_to_xml('SELECT %[3]s FROM %[1]s ORDER BY 1', true, false, '')", name, key, c)
		},
		func() history.Statement {
			return ask("SELECT (SELECT max(%[3]s) FROM %[1]s), EXISTS (SELECT 1 FROM %[1]s WHERE %[2]s = %[4]s)", name, key, c, lit)
		},
		func() history.Statement { return ask("SELECT lastval()") },
		func() history.Statement { return ask("SELECT pg_notify('news', 'x')") },
		func() history.Statement { return g.setval() },
		func() history.Statement { return g.throughJoint() },
	}
	return list[g.shape.IntN(len(list))]()
}

// setval moves the sequence of a table on, which gaps are allowed to do.
func (g *generator) setval() history.Statement {
	for _, t := range g.world.tables {
		if t.hasMinted && t.minted != history.UUIDs {
			return unordered(history.Query, fmt.Sprintf("SELECT setval('%[1]s', nextval('%[1]s') + %[2]d) > 0", t.sequence(), 1+g.values.IntN(90)))
		}
	}
	return g.harmless()
}

// throughJoint reads or writes a view of two tables, which cannot be written.
func (g *generator) throughJoint() history.Statement {
	view := g.world.joined
	if view == "" {
		return g.harmless()
	}
	return unordered(history.Query, g.one("SELECT * FROM "+view, "SELECT count(*) FROM "+view+" WHERE id = 1", "UPDATE "+view+" SET n = 1 WHERE id = 1", "SELECT n FROM "+view+" WHERE id = 2"))
}

// cursor reads a table piece by piece, in a transaction.
func (g *generator) cursor() []history.Statement {
	t := g.eligible()
	if !t.sortable() {
		t = g.world.tables[0]
	}
	query := fmt.Sprintf("DECLARE c %s CURSOR FOR SELECT * FROM %s ORDER BY %s", g.one("", "SCROLL", "NO SCROLL"), t.qualified(), t.written(t.cols[t.key[0]]))
	if len(t.key) > 1 {
		query = "DECLARE c CURSOR FOR SELECT count(*) FROM " + t.qualified()
	}
	fetch := history.Statement{Call: history.Query, SQL: g.one("FETCH c", "FETCH 2 FROM c", "FETCH ALL c", "FETCH LAST FROM c")}
	return []history.Statement{exec(query), fetch, g.statement(), fetch, exec(g.one("CLOSE c", "CLOSE ALL", "MOVE c"))}
}
