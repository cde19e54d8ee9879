package main

import "github.com/writebehind/writebehind/bench/noop"

// statements are single statements on few rows.
func statements(s settings) suite {
	const tables = "hot,fresh,trusted"
	trust := "writebehind.insert.trusted=trust"
	none := shim(journalNone, tables, trust)
	all := shims(tables, trust)
	pending := shim(journalNone, "hot", held...).named("writebehind-held")
	hot := func(name, title string, does action, subjects []Subject) keyed {
		return keyed{onTable: onTable{about{name: name, title: title, subjects: subjects, goroutines: threeCounts}, "hot", s.hotRows}, slice: s.slice, does: does}
	}
	plain := func(name, title, prefix string, does action, subjects []Subject, goroutines []int) keyed {
		return keyed{onTable: onTable{about{name: name, title: title, subjects: subjects, goroutines: goroutines}, "plain", s.hotRows}, slice: s.slice, does: does, prefix: prefix}
	}
	overlay := hot("read-overlay", "SELECT by key of rows with a pending write", reads, one(pending))
	overlay.pending = true
	increments := hot("increment", "UPDATE SET n = n + 1 of 100 hot rows", adds, together(rivals, all))
	increments.rows, increments.table = min(100, s.hotRows), "few"
	increments.subjects = together(rivals, shims("few"))
	for i := range increments.subjects {
		if i >= len(rivals) {
			increments.subjects[i].Name += "-few"
		}
	}
	inProcess := one(noopDriver, shimNoop, shortcut, shimShortcut)
	return suite{
		name: "statements", title: "Single statements by primary key, 10,000 rows", quickRounds: 10,
		conditions: closedLoop + noBound,
		operations: []Operation{
			hot("read", "SELECT by key, in the cache", reads, one(noopDriver, syncPQ, syncPgx, cacheAside, none)),
			overlay,
			hot("update", "UPDATE by key, acknowledged", sets, together(one(noopDriver), rivals, all, one(disk))),
			increments,
			insert{about: about{name: "insert", title: "INSERT, key looked up (insert=check)", subjects: together(rivals, all), goroutines: threeCounts}, table: "fresh", slice: s.slice},
			insert{about: about{name: "insert-trust", title: "INSERT, key not looked up (insert=trust)", subjects: together(rivals, all), goroutines: threeCounts}, table: "trusted", slice: s.slice},
			upsert{onTable: onTable{about{name: "upsert", title: "INSERT … ON CONFLICT DO UPDATE of a row that is there", subjects: together(rivals, all), goroutines: threeCounts}, "hot", s.hotRows}, slice: s.slice},
			transaction{onTable: onTable{about{name: "transaction", title: "BEGIN, three UPDATEs, COMMIT", subjects: together(rivals, all), goroutines: threeCounts}, "hot", s.hotRows}, slice: s.slice},
			plain("plain-read", "SELECT by key, table not opted in", "/**/", reads, one(syncPQ, none), threeCounts),
			plain("plain-update", "UPDATE by key, table not opted in", "/**/", sets, one(syncPQ, none), threeCounts),
			plain("shim-read", "SELECT, table not opted in, answered in the process", noop.Marker, reads, inProcess, oneGoroutine),
			plain("shim-update", "UPDATE, table not opted in, answered in the process", noop.Marker, sets, inProcess, oneGoroutine),
		},
	}
}
