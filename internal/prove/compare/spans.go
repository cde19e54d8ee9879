package compare

import "time"

// spans are the times that transactions took, by connection.
type spans struct {
	open map[int]int64 // when the transaction began that is open, in nanoseconds
	past [][2]int64
}

// early is how long before its BEGIN the moment of a transaction may lie: the
// driver under test may be behind the server's clock.
const early = time.Second

// Began notes that a connection is about to begin a transaction.
func (p *Pairs) Began(connection int) {
	if p.spans.open == nil {
		p.spans.open = map[int]int64{}
	}
	if _, open := p.spans.open[connection]; !open {
		p.spans.open[connection] = time.Now().Add(-early).UnixNano()
	}
}

// Ended notes that no transaction is open on a connection.
func (p *Pairs) Ended(connection int) {
	if began, open := p.spans.open[connection]; open {
		p.spans.past = append(p.spans.past, [2]int64{began, time.Now().UnixNano()})
		delete(p.spans.open, connection)
	}
}

// both reports whether two moments lie in one of the transactions.
func (s spans) both(a, b int64) bool {
	for _, began := range s.open {
		if within(began, time.Now().UnixNano(), a, b) {
			return true
		}
	}
	for _, span := range s.past {
		if within(span[0], span[1], a, b) {
			return true
		}
	}
	return false
}

// within reports whether two times, both of one time zone, lie between two moments.
// Offsets of time zones are multiples of a quarter of an hour.
func within(began, ended, a, b int64) bool {
	const quarter = int64(15 * time.Minute)
	for n := (a-began)/quarter - 1; n <= (a-began)/quarter+1; n++ {
		a, b := a-n*quarter, b-n*quarter
		if began <= a && a <= ended && began <= b && b <= ended {
			return true
		}
	}
	return false
}
