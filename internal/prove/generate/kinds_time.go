package generate

import (
	"database/sql"
	"time"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// moment is a time as argument in its own zone, and as a literal.
func moment(lit string, t time.Time, others ...any) value {
	return val(lit, append([]any{t, history.Valued{V: t}, &t, sql.NullTime{Time: t, Valid: true}}, others...)...)
}

func timeKinds() []*kind {
	kathmandu, newYork := history.Zone("Asia/Kathmandu"), history.Zone("America/New_York")
	odd := time.FixedZone("odd", 3*3600+17*60)
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	plainDays := []value{
		moment("'2001-02-03'", day(2001, 2, 3), "2001-02-03"),
		moment("'1999-12-31'", day(1999, 12, 31), "1999-12-31"),
		moment("'2010-06-15'", day(2010, 6, 15), "2010-06-15"),
	}
	badTimes := []value{
		val("'2001-02-30'", "2001-02-30"), val("'yesteryear'", "yesteryear"), val("''", ""), val("5", int64(5)), val("true", true),
		val("", "2001-01-01\x00"), val("'99/99/99'", "99/99/99"),
	}
	oddTimes := []value{
		moment("'2001-02-03 04:05:06.123457'", time.Date(2001, 2, 3, 4, 5, 6, 123456789, time.UTC), "2001-02-03 04:05:06.123456789"),
		moment("'1999-12-31 23:59:59.999999'", time.Date(1999, 12, 31, 23, 59, 59, 999999999, time.UTC)),
		moment("'2001-02-03 04:05:06+05:45'", time.Date(2001, 2, 3, 4, 5, 6, 0, kathmandu)),
		moment("'2007-03-11 02:30:00 America/New_York'", time.Date(2007, 11, 4, 1, 30, 0, 0, newYork)),
		moment("'2001-02-03 04:05:06+03:17'", time.Date(2001, 2, 3, 4, 5, 6, 7000, odd)),
		moment("'0001-01-01 00:00:00'", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)),
		moment("'9999-12-31 23:59:59'", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)),
		moment("'0044-03-15 12:00:00 BC'", time.Date(-43, 3, 15, 12, 0, 0, 0, time.UTC)),
		moment("'1850-01-01 12:00:00'", time.Date(1850, 1, 1, 12, 0, 0, 0, newYork)),
		val("'infinity'", "infinity"), val("'-infinity'", "-infinity"), val("'epoch'", "epoch"), val("'2001-02-03T04:05:06Z'", "2001-02-03T04:05:06Z"),
		val("'2001-02-03 24:00:00'", "2001-02-03 24:00:00"), val("'20010203 040506'", "20010203 040506"), val("'Feb 3 2001 4:05 PM'", "Feb 3 2001 4:05 PM"),
	}
	oddDays := []value{
		moment("'2001-02-03'", time.Date(2001, 2, 3, 23, 30, 0, 0, odd)), moment("'2001-02-04'", time.Date(2001, 2, 3, 23, 30, 0, 0, newYork)),
		moment("'0001-01-01'", day(1, 1, 1)), moment("'9999-12-31'", day(9999, 12, 31)), moment("'0044-03-15 BC'", day(-43, 3, 15)),
		moment("'2004-02-29'", day(2004, 2, 29), "2004-02-29"), val("'infinity'", "infinity"), val("'20010203'", "20010203"),
		val("'2001-02-03 10:00'", "2001-02-03 10:00"), val("'J2451187'", "J2451187"),
	}
	plainTimes := []value{
		moment("'2001-02-03 04:05:06'", time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC), "2001-02-03 04:05:06"),
		moment("'2010-06-15 12:30:00.5'", time.Date(2010, 6, 15, 12, 30, 0, 500_000_000, time.UTC), "2010-06-15 12:30:00.5"),
		moment("'1999-12-31 00:00:00'", time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)),
	}
	return []*kind{
		{name: "date", key: true, plain: plainDays, edge: oddDays, wrong: badTimes},
		{name: "timestamp", key: true, plain: plainTimes, edge: oddTimes, wrong: badTimes},
		{name: "timestamptz", key: true, plain: plainTimes, edge: oddTimes, wrong: badTimes},
	}
}
