package main

// largeTable is single statements on many rows.
func largeTable(s settings) suite {
	cold := Subject{Name: "writebehind-cold", Promise: promises[journalNone] + "; cache of 1 MB, next to no row in it",
		Open: openDriver("writebehind", "writebehind.tables=large", noJournal, "writebehind.cache_size=1MB")}
	op := func(name, title string, does action, subjects []Subject) keyed {
		return keyed{onTable: onTable{about{name: name, title: title, subjects: subjects, goroutines: threeCounts}, "large", s.largeRows}, slice: s.slice, does: does}
	}
	miss := op("read-miss", "SELECT by key, not in the cache", reads, one(syncPQ, syncPgx, cold))
	miss.cold = true
	all := shims("large")
	return suite{
		name: "large", title: "Single statements by primary key, 1,000,000 rows", quickRounds: 8,
		conditions: closedLoop + noBound,
		operations: []Operation{
			op("read-1m", "SELECT by key, in the cache", reads, one(noopDriver, syncPQ, syncPgx, cacheAside, all[0])),
			miss,
			op("update-1m", "UPDATE by key, acknowledged", sets, together(rivals, all)),
		},
	}
}
