package pgvalue

import (
	"database/sql/driver"
	"math"
	"time"

	"github.com/lib/pq/oid"
)

// noZone is the location that lib/pq gives to dates and timestamps.
func noZone() *time.Location { return time.FixedZone("", 0) }

// maxOffset is the largest UTC offset that PostgreSQL reads (MAX_TZDISP_HOUR).
const maxOffset = 16*60*60 - 1

// knownTime says whether lib/pq writes at so that PostgreSQL reads the same
// time: in four-digit years, with an offset it accepts. Of an offset between -1
// minute and 0 lib/pq loses the sign.
func knownTime(s Session, at time.Time) bool {
	_, offset := at.Zone()
	return !s.InfinityTimes && fourDigitYear(at) &&
		-maxOffset <= offset && offset <= maxOffset && (offset >= 0 || offset <= -60)
}

func fourDigitYear(t time.Time) bool {
	return 1 <= t.Year() && t.Year() <= 9999
}

// microseconds rounds a fraction of a second the way PostgreSQL does
// (ParseFractionalSecond in datetime.c: binary floating point, halves to even).
func microseconds(nanoseconds int) time.Duration {
	seconds := float64(nanoseconds) / 1e9
	return time.Duration(math.RoundToEven(seconds*1e6)) * time.Microsecond
}

// storeTimestamp is the value of a timestamp column for local, which is in
// noZone. v is returned if it holds that already.
func (t Type) storeTimestamp(local time.Time, v driver.Value, assign bool) (driver.Value, bool) {
	if assign {
		local = t.roundToPrecision(local)
	}
	if !fourDigitYear(local) {
		return nil, false
	}
	return keepOrBox(v, local), true
}

// storeInstant is the value of a timestamptz column for the instant at. v is
// returned if it holds that already.
func (t Type) storeInstant(s Session, at time.Time, v driver.Value, assign bool) (driver.Value, bool) {
	at = at.Round(0) // without monotonic clock
	if !assign {
		return keepOrBox(v, at), fourDigitYear(at.UTC())
	}
	at = t.roundToPrecision(at)
	if !s.KnowsInstant(at) {
		return nil, false
	}
	return keepOrBox(v, at.In(s.Location)), true
}

// keepOrBox returns v if it holds the very time t, so that it is not boxed anew.
func keepOrBox(v driver.Value, t time.Time) driver.Value {
	if was, ok := v.(time.Time); ok && was == t {
		return v
	}
	return t
}

// roundToPrecision applies the fractional-digits modifier of timestamp and
// timestamptz: halves away from 2000-01-01 (AdjustTimestampForTypmod).
func (t Type) roundToPrecision(at time.Time) time.Time {
	if t.Mod < 0 || t.Mod > 5 {
		return at
	}
	unit := time.Microsecond
	for range 6 - t.Mod {
		unit *= 10
	}
	// Whole seconds from the epoch are multiples of every unit.
	part := time.Duration(at.Nanosecond())
	rest := part % unit
	up := rest > unit/2 || rest == unit/2 && at.Unix() >= epoch2000
	at = at.Add(-rest)
	if up && rest > 0 {
		at = at.Add(unit)
	}
	return at
}

// epoch2000 is 2000-01-01 00:00:00 UTC, PostgreSQL's zero, in Unix seconds.
const epoch2000 = 946684800

// parseTime reads the strict forms YYYY-MM-DD and
// YYYY-MM-DD HH:MM:SS[.fraction][zone] (or with a T) into a date, timestamp or
// timestamptz column.
func (t Type) parseTime(s Session, text string, assign bool) (driver.Value, bool) {
	c, ok := parseCivil(text)
	if !ok {
		return nil, false
	}
	switch oid.Oid(t.OID) {
	case oid.T_date:
		return c.day, true
	case oid.T_timestamp:
		return t.storeTimestamp(c.day.Add(c.clock), nil, assign)
	default:
		zone := time.UTC
		if c.zoned {
			zone = time.FixedZone("", c.offset)
		} else if s.Location != time.UTC {
			return nil, false // a local time may fall into a gap or occur twice
		}
		instant := c.day.Add(c.clock - time.Duration(c.offset)*time.Second)
		return t.storeInstant(s, instant.In(zone), nil, assign)
	}
}

// civil is a date and time as written.
type civil struct {
	day    time.Time     // midnight in noZone
	clock  time.Duration // since midnight, in microseconds
	zoned  bool
	offset int // seconds east of UTC, if zoned
}

func parseCivil(text string) (civil, bool) {
	p := timeScanner{rest: text}
	year, month, day := p.number(4), p.next('-', 2), p.next('-', 2)
	c := civil{day: time.Date(year, time.Month(month), day, 0, 0, 0, 0, noZone())}
	if p.failed || year == 0 || int(c.day.Month()) != month || c.day.Day() != day {
		return civil{}, false
	}
	if p.rest == "" {
		return c, true
	}
	if !p.accept(' ') && !p.accept('T') {
		return civil{}, false
	}
	hour, minute, second := p.number(2), p.next(':', 2), p.next(':', 2)
	if p.failed || hour > 23 || minute > 59 || second > 59 {
		return civil{}, false
	}
	c.clock = time.Duration(hour*3600+minute*60+second)*time.Second + microseconds(p.fraction())
	c.offset, c.zoned = p.zone()
	return c, !p.failed && p.rest == ""
}

// timeScanner takes a date and time apart from the left.
type timeScanner struct {
	rest   string
	failed bool
}

func (p *timeScanner) accept(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// number takes exactly so many digits.
func (p *timeScanner) number(digits int) int {
	if len(p.rest) < digits || !allDigits(p.rest[:digits]) {
		p.failed = true
		return 0
	}
	n := 0
	for _, c := range []byte(p.rest[:digits]) {
		n = n*10 + int(c-'0')
	}
	p.rest = p.rest[digits:]
	return n
}

// next takes a separator and exactly so many digits.
func (p *timeScanner) next(separator byte, digits int) int {
	if !p.accept(separator) {
		p.failed = true
		return 0
	}
	return p.number(digits)
}

// fraction takes an optional point with one to nine digits, in nanoseconds.
func (p *timeScanner) fraction() int {
	if !p.accept('.') {
		return 0
	}
	digits := 0
	for digits < len(p.rest) && '0' <= p.rest[digits] && p.rest[digits] <= '9' {
		digits++
	}
	if digits == 0 || digits > 9 {
		p.failed = true
		return 0
	}
	n := p.number(digits)
	for range 9 - digits {
		n *= 10
	}
	return n
}

// zone takes an optional Z, ±HH, ±HH:MM or ±HH:MM:SS.
func (p *timeScanner) zone() (offset int, zoned bool) {
	if p.accept('Z') {
		return 0, true
	}
	sign := 1
	switch {
	case p.accept('+'):
	case p.accept('-'):
		sign = -1
	default:
		return 0, false
	}
	unit := 3600
	for offset = p.number(2) * unit; p.rest != "" && unit > 1; {
		unit /= 60
		n := p.next(':', 2)
		p.failed = p.failed || n > 59
		offset += n * unit
	}
	p.failed = p.failed || offset > maxOffset
	return sign * offset, true
}
