package main

import "time"

// The time that goes into what is not measured itself, roughly.
const (
	perSession = 2 * time.Second        // databases, connections, reading all rows
	perSample  = 250 * time.Millisecond // settling and checking
)

// estimate is how long the suites take, roughly.
func (s settings) estimate(selected []measured) (all time.Duration) {
	for _, m := range selected {
		sessions := map[string]bool{}
		var round time.Duration
		for _, c := range m.cases {
			sessions[c.subject.Name] = true
			round += c.operation.Takes() + perSample
		}
		all += time.Duration(len(sessions))*perSession + time.Duration(s.roundsOf(m.suite))*round
	}
	return all
}
