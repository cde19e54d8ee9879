package shrink

import (
	"bytes"
	"database/sql"
	"slices"
	"strings"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// History returns a small history that fails. The one given is known to fail;
// it is not changed. Fails is called often, and must be true only for the
// failure that is looked for. To stop early, let it return false.
func History(h history.History, fails func(history.History) bool) history.History {
	for {
		before := h
		h.Statements = minimize(h.Statements, func(s []history.Statement) bool {
			return fails(with(h, func(c *history.History) { c.Statements = s }))
		})
		h.Schema = minimize(h.Schema, func(s []string) bool {
			return fails(with(h, func(c *history.History) { c.Schema = s }))
		})
		h = shrinkConnections(h, fails)
		h = shrinkColumns(h, fails)
		h = shrinkSettings(h, fails)
		h = shrinkStatements(h, fails)
		if len(h.Statements) == len(before.Statements) && len(h.Schema) == len(before.Schema) {
			return h
		}
	}
}

// with returns a copy of the history with a change made to it. Slices must be
// replaced, not written to.
func with(h history.History, change func(*history.History)) history.History {
	change(&h)
	return h
}

// shrinkConnections lets fewer connections do the work, and moves statements to
// the first one.
func shrinkConnections(h history.History, fails func(history.History) bool) history.History {
	move := func(change func(i, conn int) int) bool {
		c := with(h, func(c *history.History) {
			c.Statements = slices.Clone(h.Statements)
			for i := range c.Statements {
				c.Statements[i].Conn = change(i, c.Statements[i].Conn)
			}
		})
		ok := fails(c)
		if ok {
			h = c
		}
		return ok
	}
	for from := h.Connections() - 1; from > 0; from-- {
		for to := range from {
			if move(func(_, conn int) int {
				switch {
				case conn == from:
					return to
				case conn > from:
					return conn - 1
				}
				return conn
			}) {
				break
			}
		}
	}
	for i := range h.Statements {
		if h.Statements[i].Conn > 0 {
			move(func(at, conn int) int {
				if at == i {
					return 0
				}
				return conn
			})
		}
	}
	return h
}

// shrinkColumns leaves out lines of the schema, which hold one column each.
func shrinkColumns(h history.History, fails func(history.History) bool) history.History {
	for i, table := range h.Schema {
		lines := minimize(strings.Split(table, "\n"), func(lines []string) bool {
			return fails(with(h, func(c *history.History) {
				c.Schema = slices.Clone(h.Schema)
				c.Schema[i] = strings.Join(lines, "\n")
			}))
		})
		h.Schema = slices.Clone(h.Schema)
		h.Schema[i] = strings.Join(lines, "\n")
	}
	return h
}

// shrinkSettings puts settings back to their zero values, one by one.
func shrinkSettings(h history.History, fails func(history.History) bool) history.History {
	for _, reset := range []func(*history.Settings){
		func(s *history.Settings) { s.Tables = "" },
		func(s *history.Settings) { s.MaxDelay = 0 },
		func(s *history.Settings) { s.BatchRows = 0 },
		func(s *history.Settings) { s.CacheSize = "" },
		func(s *history.Settings) { s.Binary = false },
		func(s *history.Settings) { s.TimeZone = "" },
		func(s *history.Settings) { s.URL = false },
		func(s *history.Settings) { s.Conn = false },
		func(s *history.Settings) { s.Deadline = false },
		func(s *history.Settings) { s.Sync = "" },
		func(s *history.Settings) { s.Real = false },
	} {
		c := h
		reset(&c.Settings)
		if c.Settings != h.Settings && fails(c) {
			h = c
		}
	}
	return h
}

// shrinkStatements makes the statements themselves plainer.
func shrinkStatements(h history.History, fails func(history.History) bool) history.History {
	for i := range h.Statements {
		try := func(change func(*history.Statement)) bool {
			c := with(h, func(c *history.History) {
				c.Statements = slices.Clone(h.Statements)
				change(&c.Statements[i])
			})
			ok := fails(c)
			if ok {
				h = c
			}
			return ok
		}
		if h.Statements[i].Prepared != history.Direct {
			try(func(s *history.Statement) { s.Prepared = history.Direct })
		}
		if plain := strings.Join(strings.Fields(h.Statements[i].SQL), " "); plain != h.Statements[i].SQL {
			try(func(s *history.Statement) { s.SQL = plain })
		}
		if h.Statements[i].Isolation != sql.LevelDefault {
			try(func(s *history.Statement) { s.Isolation = sql.LevelDefault })
		}
		if h.Statements[i].ReadOnly {
			try(func(s *history.Statement) { s.ReadOnly = false })
		}
		if h.Statements[i].Read != 0 {
			try(func(s *history.Statement) { s.Read = 0 })
		}
		for n, arg := range h.Statements[i].Args {
			for _, plainer := range plainerArgs(arg) {
				if try(func(s *history.Statement) {
					s.Args = slices.Clone(s.Args)
					s.Args[n] = plainer
				}) {
					break
				}
			}
		}
	}
	return h
}

// plainerArgs returns values to try in the place of an argument, plainest
// first. None of them is as plain as the argument, or shrinking would not end.
func plainerArgs(arg any) []any {
	switch v := arg.(type) {
	case nil:
		return nil
	case string:
		switch {
		case v == "":
			return []any{nil}
		case len(v) == 1:
			return []any{nil, ""}
		default:
			return []any{nil, "", "1", v[:len(v)/2]}
		}
	case []byte:
		if bytes.Equal(v, []byte("1")) || len(v) == 0 {
			return []any{nil}
		}
		return []any{nil, []byte("1")}
	case int64:
		if v == 0 || v == 1 {
			return []any{nil}
		}
		return []any{nil, int64(0), int64(1)}
	case history.Minted:
		if v.N == 0 {
			return nil
		}
		return []any{history.Minted{From: v.From}}
	default:
		return []any{nil, int64(0), int64(1), "1"}
	}
}
