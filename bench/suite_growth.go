package main

import "fmt"

// growths is a keyed read and an increment in turn, while something grows.
func growths(s settings) suite {
	su := suite{name: "growth", title: "While something grows: a keyed read and a keyed increment in turn",
		conditions: "Closed loop, 1 goroutine, journal=none, cache of 256 MB, all rows read beforehand. Nothing is flushed meanwhile."}
	op := func(kind string, n int, what string, subject Subject, g growth) {
		g.about = about{fmt.Sprintf("growth-%s-%d", kind, n), fmt.Sprintf("%d %s", n, what), perOperation, one(subject), oneGoroutine}
		g.slice = s.slice
		su.operations = append(su.operations, g)
	}
	large := shim(journalNone, "large", held...)
	for _, n := range []int{100, 10_000, s.largeRows} {
		if n <= s.largeRows {
			op("pending", n, "pending rows", large, growth{rows: s.largeRows, pending: n})
		}
	}
	for n := 1; n <= s.tables; n *= 10 {
		op("tables", n, "opted-in tables of 100 rows", shim(journalNone, "*", held...).named("writebehind-none-all"), growth{rows: 100, tables: n})
	}
	for n := 10; n <= s.texts; n *= 10 {
		op("texts", n, "distinct SQL texts of each kind", large, growth{rows: s.largeRows, texts: n})
	}
	return su
}
