package main

import (
	"math"
	"strconv"
)

// sustainedWrites are writes until they are in PostgreSQL.
func sustainedWrites(s settings) suite {
	const tables = "large,fresh,trusted"
	params := append([]string{"writebehind.insert.trusted=trust"}, bounded...)
	all := shims(tables, params...)
	off := all[1]
	// What waits for a flush that cannot begin has to fit.
	backlog := shim(syncOff, "large,trusted", "writebehind.insert.trusted=trust", "writebehind.batch_rows=10000")
	backlog.Name += "-backlog"
	sixteen := []int{16}
	underLoad, onBacklog, ofInserts := batches{}, batches{}, batches{}
	rows := min(s.largeRows, 200_000)
	return suite{
		name: "sustained", title: "Sustained writes, 1,000,000 rows", quickRounds: 3,
		conditions: closedLoop + "Pending rows are bounded to 50,000 and flushed by 10,000. " + drainedToo,
		operations: []Operation{
			sustained{onTable{about{"sustained", "UPDATE by key, rows evenly", perSecond, together(rivals, all, one(batcher)), sixteen}, "large", s.largeRows}, s.sustained, underLoad},
			newMix(about{"sustained-zipf", "UPDATE by key, rows by Zipf's law", perSecond, one(syncPQ, asyncPgx, all[0], off, all[2], batcher), sixteen},
				"large", s.largeRows, s.sustained/3, mixParts{set: 1000}),
			insert{about{"sustained-insert", "INSERT, key looked up", perSecond, together(rivals, all), sixteen}, "fresh", s.sustained / 3, true},
			insert{about{"sustained-insert-trust", "INSERT, key not looked up", perSecond, together(rivals, all), sixteen}, "trusted", s.sustained / 3, true},
			drain{onTable{about{"drain", "a backlog of UPDATEs reaches PostgreSQL (200,000 rows)", perSecond, one(backlog, bareUnnest), oneGoroutine},
				"large", s.largeRows}, rows, false, onBacklog, backlog.Name},
			drain{onTable{about{"drain-load", "as many in batches as " + off.Name + " has sent them under load", perSecond, one(bareUnnest), oneGoroutine},
				"large", s.largeRows}, rows, false, underLoad, off.Name},
			drain{onTable{about{"drain-insert", "a backlog of INSERTs reaches PostgreSQL (200,000 rows, insert=trust)", perSecond, one(backlog, bareCopy), oneGoroutine},
				"trusted", 1}, rows, true, ofInserts, backlog.Name},
		},
	}
}

// batchSizes is the drain by the size of the batches.
func batchSizes(s settings) suite {
	var ops []Operation
	for _, size := range sizesUpTo(s.largeRows / 10) {
		ops = append(ops, batchOf{onTable{about{"batch-" + strconv.Itoa(size), "UPDATEs in transactions of " + number(float64(size)) + " rows", perSecond,
			one(shim(journalNone, "large", held...), bareUnnest), oneGoroutine}, "large", s.largeRows}, size, s.mix})
	}
	return suite{name: "batches", title: "Drain rate by batch size",
		conditions: "Rows are acknowledged beforehand; the time is that of the flushes alone, one transaction each.", operations: ops}
}

// sizesUpTo are the powers of ten from 100 on.
func sizesUpTo(limit int) (sizes []int) {
	for e := 2; int(math.Pow10(e)) <= limit; e++ {
		sizes = append(sizes, int(math.Pow10(e)))
	}
	return sizes
}
