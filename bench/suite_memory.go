package main

// memory is what a large overlay costs.
func memory(s settings) suite {
	subject := shim(journalNone, "trusted", append([]string{"writebehind.insert=trust"}, held...)...)
	return suite{name: "memory", title: "1,000,000 pending rows of 100 bytes", quickRounds: 3,
		conditions: "Closed loop of one goroutine; nothing is flushed until the end. The only subject that is open in the process. The figure is a keyed read or write meanwhile.",
		operations: []Operation{manyPending{about{"many-pending", "keyed read and increment in turn", perOperation, one(subject), oneGoroutine}, s.largeRows, s.mix}}}
}

// recoveries is the start after a crash.
func recoveries(s settings) suite {
	return suite{name: "recovery", title: "Start with the journal of a process that died, 1,000,000 groups of one row", quickRounds: 3,
		conditions: "From sql.Open until a read has found the row that was acknowledged last.",
		operations: []Operation{recovery{about{"recovery", "groups recovered", perSecond, one(recovered), oneGoroutine}, s.largeRows}}}
}
