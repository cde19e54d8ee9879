package check

import (
	"github.com/writebehind/writebehind/internal/crash/ledger"
	"github.com/writebehind/writebehind/internal/crash/record"
)

// twins finds pairs of counters, one in each of two tables, that do not show the
// same number of increments: no operation increments only one of them. That holds
// at any moment, whatever is known of the operations.
func twins(l *ledger.Ledger, seen Observed, r *Report) {
	for _, twin := range hotKeys(l) {
		if twin.Table != record.Twin {
			continue
		}
		hot := record.Key{Table: record.Hot, ID: twin.ID}
		n, m := seen[hot].N-l.Hot[hot].Base, seen[twin].N-l.Hot[twin].Base
		if n != m {
			r.counter(l, Torn, twin, "%d increments, and of its twin, %s, %d", m, hot, n)
		}
	}
}
