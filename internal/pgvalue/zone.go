package pgvalue

import (
	"time"

	"github.com/lib/pq"
)

// The years in which zone data is compared, and outside of which no timestamptz
// is known in a location other than UTC.
const (
	firstZoneYear = 1970
	lastZoneYear  = 2037
)

// KnowsInstant says whether it is known how lib/pq returns the instant at for a
// timestamptz column in this session: in UTC for the years 1 to 9999, in any
// other location for the years 1970 to 2037 (UTC), in an unknown one never.
func (s Session) KnowsInstant(at time.Time) bool {
	switch year := at.UTC().Year(); s.Location {
	case nil:
		return false
	case time.UTC:
		return 1 <= year && year <= 9999
	default:
		return firstZoneYear <= year && year <= lastZoneYear
	}
}

// ZoneProbes returns the instants at which the UTC offsets of loc must be
// compared with the server's before a Session may carry loc: each change of
// offset that Go knows of from 1970 to 2037, the second before it, and the first
// of each month, so that a change only the server knows of shows too unless it
// is undone within the month. In UTC there is nothing to compare: nil.
//
// One query gives the server's offsets in seconds, in the order of the probes,
// in a session whose TimeZone is loc:
//
//	SELECT extract(timezone FROM p)::int
//	FROM unnest($1::timestamptz[]) WITH ORDINALITY AS u(p, i) ORDER BY i
func ZoneProbes(loc *time.Location) []time.Time {
	if loc == nil || loc == time.UTC {
		return nil
	}
	end := time.Date(lastZoneYear+1, 1, 1, 0, 0, 0, 0, time.UTC)
	var probes []time.Time
	for at := time.Date(firstZoneYear, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(end); at = at.AddDate(0, 1, 0) {
		probes = append(probes, at.In(loc))
	}
	for at := probes[0]; ; {
		_, change := at.ZoneBounds()
		if change.IsZero() || !change.Before(end) {
			return append(probes, end.Add(-time.Second).In(loc))
		}
		probes = append(probes, change.Add(-time.Second), change)
		at = change
	}
}

// InfinityTimes says whether the program has called pq.EnableInfinityTs, by
// which lib/pq sends times at or beyond bounds of the program's choice as
// infinity, and returns those bounds for it. (With bounds more than a million
// years off it makes no difference to any value that is known.)
func InfinityTimes() bool {
	for _, year := range [...]int{-1_000_000, 1_000_000} {
		sent, err := pq.Array([]time.Time{time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)}).Value()
		if text, ok := sent.(string); err != nil || !ok || len(text) <= len(`{"-infinity"}`) {
			return true
		}
	}
	return false
}
