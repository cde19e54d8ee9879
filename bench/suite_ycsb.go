package main

import "time"

// workloads are YCSB's core workloads but E, which scans.
var workloads = []struct {
	letter, title string
	parts         mixParts
}{
	{"a", "YCSB A: 50 % read, 50 % update", mixParts{set: 500}},
	{"b", "YCSB B: 95 % read, 5 % update", mixParts{set: 50}},
	{"c", "YCSB C: read", mixParts{}},
	{"d", "YCSB D: 95 % read of the newest, 5 % insert", mixParts{insert: 50}},
	{"f", "YCSB F: 50 % read, 50 % read, then update", mixParts{modify: 500}},
}

const mixConditions = closedLoop + "Zipf's law over 20,000 rows. " + drainedToo

// mixes are the YCSB workloads.
func mixes(s settings) suite {
	subjects := together(rivals, shims("usertable"))
	su := suite{name: "ycsb", title: "YCSB mixes, 20,000 rows", conditions: mixConditions, quickRounds: 5}
	for _, w := range workloads {
		su.operations = append(su.operations, newMix(about{"ycsb-" + w.letter, w.title, perSecond, subjects, threeCounts}, "usertable", s.ycsbRows, s.mix, w.parts))
	}
	return su
}

// distant is a mix, and single statements, behind a network.
func distant(s settings) suite {
	subjects := together(rivals, shims("usertable"))
	return suite{name: "network", title: "Behind a network with 1 ms of round trip", roundTrip: time.Millisecond, quickRounds: 4,
		conditions: mixConditions + " A proxy in the process delays what is sent to the server.",
		operations: []Operation{
			newMix(about{"ycsb-a-1ms", workloads[0].title, perSecond, subjects, threeCounts}, "usertable", s.ycsbRows, s.mix, workloads[0].parts),
			newMix(about{"ycsb-b-1ms", workloads[1].title, perSecond, subjects, []int{16}}, "usertable", s.ycsbRows, s.mix, workloads[1].parts),
			insert{about{"insert-1ms", "INSERT, key looked up", perOperation, together(rivals, shims("fresh,usertable")), []int{1, 16}}, "fresh", s.slice, false},
		}}
}
