package generate

import (
	"fmt"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// sessionSetting changes what a connection remembers, or what names mean on it.
func (g *generator) sessionSetting() history.Statement {
	ddl := func(text string) history.Statement { return history.Statement{SQL: text, DDL: true} }
	t := g.world.tables[g.values.IntN(len(g.world.tables))]
	switch n := g.values.IntN(40); {
	case n < 4 && t.schema == "" && t.plainName:
		return ddl(fmt.Sprintf("CREATE TEMP TABLE %s (LIKE public.%s INCLUDING ALL)%s", t.name, t.name, g.one("", "", " ON COMMIT DROP")))
	case n < 6 && t.schema == "" && t.plainName:
		return ddl(fmt.Sprintf("DROP TABLE IF EXISTS pg_temp.%s", t.name))
	case n < 8:
		return ddl(g.one("DISCARD ALL", "DISCARD TEMP", "DISCARD PLANS", "DISCARD SEQUENCES"))
	case n < 14:
		return exec(g.one("SET LOCAL search_path = other, public", "SET LOCAL TimeZone = 'Asia/Tokyo'", "SET LOCAL bytea_output = 'escape'",
			"SET LOCAL ROLE pg_read_all_data", "SET LOCAL statement_timeout = '5min'"))
	case n < 18:
		return exec(g.one("SET search_path = other, public", "SET TIME ZONE 'Asia/Tokyo'", "SET intervalstyle = iso_8601", "SET synchronous_commit = off",
			"SET default_transaction_isolation = 'repeatable read'", "SET default_transaction_read_only = on", "SET standard_conforming_strings = off"))
	case n < 19:
		return history.Statement{Call: history.Query, SQL: g.one("SELECT set_config('search_path', 'other, public', false)", "SELECT set_config('TimeZone', 'UTC', true)")}
	case n < 21:
		return exec("SET ROLE pg_read_all_data")
	case n < 28:
		return exec(g.one("RESET ALL", "RESET ROLE", "RESET search_path", "RESET TimeZone", "SET ROLE NONE"))
	case n < 31:
		return exec(g.one("LISTEN news", "UNLISTEN *", "NOTIFY news, 'x'"))
	default:
		return history.Statement{Call: history.Query, SQL: g.one("SELECT pg_try_advisory_lock(1)", "SELECT pg_advisory_unlock(1)", "SELECT pg_advisory_unlock_all()",
			"SELECT pg_advisory_xact_lock(1)", "SELECT pg_advisory_xact_lock(2)", "SELECT pg_advisory_lock_shared(2)")}
	}
}
