package main

// others is what statements pay that are not deferred, and what deferred ones pay while
// flushes run.
func others(s settings) suite {
	all := shims("hot,large")
	off := all[1]
	sixteen := []int{16}
	return suite{
		name: "others", title: "Beside deferred writes", quickRounds: 3,
		conditions: "Cache of 256 MB, all rows read beforehand. Flushes after 100 ms or 20,000 rows. Closed loop, but what is said to be paced: that is an open loop of one goroutine.",
		operations: []Operation{
			barrier{onTable{about{"barrier-read", "SELECT count(*) of a range of 20 keys, not keyed, of a table that takes 25,000 paced UPDATEs per second", perOperation, one(off), oneGoroutine},
				"hot", s.hotRows}, 25_000, s.sustained},
			newMix(about{"mixed5", "5 % SELECT of a range, 47.5 % SELECT and 47.5 % UPDATE by key, drain included", perSecond, together(rivals, all), sixteen},
				"hot", s.hotRows, s.mix, mixParts{set: 475, scan: 50}),
			paced{onTable{about{"update-paced", "UPDATE by key, paced at half the rate of the drain, 1,000,000 rows", perOperation, one(off), oneGoroutine}, "large", s.largeRows}, s.sustained},
		},
	}
}
