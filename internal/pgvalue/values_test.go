package pgvalue_test

import (
	"database/sql/driver"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

var integers = []int64{
	0, 1, -1, 7, 42, 99, 100, 999, 1000, 12345, 20240229,
	math.MinInt16 - 1, math.MinInt16, math.MaxInt16, math.MaxInt16 + 1,
	math.MinInt32 - 1, math.MinInt32, math.MaxInt32, math.MaxInt32 + 1,
	1<<53 - 1, 1 << 53, 1<<53 + 1, math.MinInt64, math.MinInt64 + 1, math.MaxInt64 - 1, math.MaxInt64,
}

var floats = []float64{
	0, math.Copysign(0, -1), 1, -1, 0.1, 0.5, 1.5, 2.5, 3.5, -3.5, 0.005, 0.015, 1.005, 999.994, 999.995, 1e5,
	1.1, 1.123456789, 3.0, 1e15, 1e17, 1e18, 1e19, 1e22, 1e23, 1e38, 3.4e38, 3.5e38, 1e100, 1e-5, 1e-7, 1e-37, 1e-38, 1e-39, 1e-100,
	1 << 24, 1<<24 + 1, 33554432, 16777215, 2097152.25, 2097152.75, 2097153.25, 8388608.5, 9007199254740993,
	float64(float32(0.1)), float64(float32(1.1)), float64(float32(16777217)), 1.00000005960464477540,
	math.MaxFloat32, math.MaxFloat32 * 1.0000001, math.SmallestNonzeroFloat32, 0x1p-126, 0x1.8p-127, 0x1p-150,
	math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0x1p-1022, 0x1p-1023,
	math.NaN(), math.Float64frombits(0xfff8000000000002), math.Inf(1), math.Inf(-1),
	math.MaxInt16, math.MaxInt32, math.MaxInt64,
}

// texts are sent as strings, as []byte and as literals, to columns of all types.
var texts = []string{
	"", " ", "a", "ab", "abcd", "abcde", "abcdef", "ab  ", "abcde   ", "abcde  x", "     ", "          ", "\t", "a\nb",
	"Grüße", "grüßen", "äöüß", "日本", "日本語日本語", "🙂🙂🙂🙂", "🙂🙂🙂🙂🙂🙂", "e\u0301", "\u00a0", "abcde\u00a0",
	"a\x00b", "\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "\ufffd", "\U0010ffff",
	`\`, `\\`, `a\b`, `\x`, `\x6162`, `\xAbCd`, `\x 61`, `\x6`, `\xzz`, `\134`, `'`, `''`, `"`, "$1", "{}", "{1,2}", "NULL", "null",
	"0", "-0", "00", "007", "-007", "+5", " 5", "5 ", "5.", ".5", "-.5", ".", "-", "+", "--1", "1_000", "0x10", "0b1", "0o7",
	"1", "-1", "12", "32767", "32768", "-32768", "-32769", "2147483647", "2147483648", "-2147483648",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
	"99999999999999999999", "00000000000000000000001", "0000000000000000001",
	"1.0", "1.00", "1.50", "1.5", "-1.5", "-0.00", "0.004", "0.005", "0.0049999", "-0.005", "999.99", "999.994", "999.995", "-999.995",
	"9.995", "99.995", "1000", "0.9994", "0.9995", "0.99949999", "-0.9995", "0.1234567890123456789", "100.000", "9999999999", "9999999999.4", "9999999999.5", "10000000000",
	"1e3", "1E3", "1e+3", "1e-3", "1.5e1", "1.50e1", "1.0e-2", "-1.25e-2", "1e", "e1", "1e1.5", "1e400", "1e-400", "-1e400", "1e308", "1.8e308", "1e309",
	"1e-307", "1e-308", "1e-324", "1e-325", "0e0", "0e999", "0e-999", "0.0e500", "1e999", "1e1000", "1e1001", "1e-1000", "1e131072", "1e-16384",
	"1e38", "3.4028235e38", "3.4028236e38", "1e39", "1e-37", "1e-45", "1e-46", "1.17549435e-38", "1.1754943e-38", "16777217", "33554433",
	strings.Repeat("9", 500), strings.Repeat("9", 501), strings.Repeat("1", 990) + ".5", "0." + strings.Repeat("3", 501), "0." + strings.Repeat("0", 600) + "1", strings.Repeat("0", 900) + "7",
	"NaN", "nan", "-NaN", "Inf", "inf", "+Inf", "-Inf", "Infinity", "infinity", "-Infinity", "-infinity", "+Infinity",
	"true", "false", "t", "f", "y", "n", "yes", "no", "on", "off", "o", "of", "tr", "TRUE", "FALSE", "True", " true", "true ", "2",
	"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "6ba7b8109dad11d180b400c04fd430c8",
	"{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", "6ba7-b810-9dad-11d1-80b4-00c0-4fd4-30c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c", "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
	"6ba7b81-09dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd4-0c8", "------------------------------------", "00000000-0000-0000-0000-000000000000",
	"sad", "ok", "happy", "Happy", "sad ", " ok", "with space", `q'"uote`,
	"2024-02-29", "2023-02-29", "2024-2-9", "24-02-09", "20240229", "2024-13-01", "2024-00-10", "2024-01-00", "2024-04-31", "0001-01-01", "0000-01-01", "0099-12-31", "9999-12-31", "10000-01-01",
	"0044-03-15 BC", "2024-02-29 ", " 2024-02-29", "2024/02/29", "29.02.2024", "2024-02-29T", "now", "today", "epoch", "tomorrow", "allballs", "1999-Jan-08",
	"2024-02-29 12:34:56", "2024-02-29T12:34:56", "2024-02-29t12:34:56", "2024-02-29  12:34:56", "2024-02-29 12:34", "2024-02-29 24:00:00", "2024-02-29 23:59:60", "2024-02-29 23:59:61", "2024-02-29 25:00:00", "2024-02-29 12:60:00",
	"2024-02-29 12:34:56.1", "2024-02-29 12:34:56.123456", "2024-02-29 12:34:56.1234565", "2024-02-29 12:34:56.1234575", "2024-02-29 12:34:56.9999995", "2024-12-31 23:59:59.999999999", "9999-12-31 23:59:59.9999999",
	"2024-02-29 12:34:56.", "2024-02-29 12:34:56.1234567890", "2024-02-29 12:34:56.0000005", "2024-02-29 12:34:56.0000015", "2024-02-29 12:34:56.5", "1999-12-31 23:59:59.5", "1999-12-31 23:59:58.5", "1970-01-01 00:00:00.5", "1999-12-31 23:59:59.0005", "2000-01-01 00:00:00.0005", "1999-12-31 12:00:00.005", "1999-12-31 12:00:00.015",
	"2024-02-29 12:34:56Z", "2024-02-29T12:34:56Z", "2024-02-29T12:34:56.5Z", "2024-02-29 12:34:56 Z", "2024-02-29 12:34:56z", "2024-02-29 12:34:56+00", "2024-02-29 12:34:56+01", "2024-02-29 12:34:56-08", "2024-02-29 12:34:56+05:30", "2024-02-29 12:34:56-00:30", "2024-02-29 12:34:56+0530", "2024-02-29 12:34:56+5", "2024-02-29 12:34:56+15:59:59", "2024-02-29 12:34:56-15:59:59",
	"2024-02-29 12:34:56+16", "2024-02-29 12:34:56+24", "2024-02-29 12:34:56+01:60", "2024-02-29 12:34:56+01:00:60", "2024-02-29 12:34:56+01:00:30", "2024-02-29 12:34:56+01:00:30:00", "2024-02-29 12:34:56 +01", "2024-02-29 12:34:56 CET", "2024-02-29 12:34:56 Europe/Berlin", "2024-02-29 12:34:56UTC",
	"0001-01-01 00:00:00Z", "0001-01-01 00:00:00+01", "0001-01-01 00:00:00-01", "9999-12-31 23:59:59.999999Z", "9999-12-31 23:59:59-01", "9999-12-31 23:59:59+01", "2024-03-31 02:30:00", "2024-10-27 02:30:00", "1969-12-31 23:59:59.999999Z", "1970-01-01 00:00:00Z", "2037-12-31 23:59:59.999999Z", "2038-01-01 00:00:00Z", "2037-12-31 23:59:59.9999999Z", "1900-01-01 00:00:00Z",
	`"x"`, `{"a":1}`, ` { "a" : [1, 2.50, -0, 1e5, true, null] , "a":2} `, "[]", "[1,]", "{a:1}", "01", "1.", "-", `"\u0041"`, `"\u0000"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00"`, `"\uD83D x"`, `"\u12"`, `"\u12g4"`, `"\x"`, `"\/\b\f\n\r\t\"\\"`, "\"a\nb\"", "\"\x7f\"", "\"\x01\"", `"é"`, `"\\u0000"`, `"\\\u0000"`, "1 2", "\v1", "\ufeff1", "nul", "truee", `{"":{}}`, `[[[[]]]]`, `{"a":}`, `[1 2]`, "\r\n\t 1 \r\n\t",
	strings.Repeat("[", 100) + strings.Repeat("]", 100), strings.Repeat("[", 101) + strings.Repeat("]", 101), strings.Repeat(`{"a":`, 99) + "1" + strings.Repeat("}", 99), `"[[[["`,
	strings.Repeat("long ", 1000), "127.0.0.1", "1 day", "12:34:56", "(1,2)", "[1,5)", "101", "$5.00",
}

// integerLiterals and decimalLiterals are written in SQL as they are.
var (
	integerLiterals = []string{
		"0", "-0", "+0", "1", "-1", "+1", "007", "12", "99", "100", "999", "1000", "32767", "32768", "-32768", "-32769", "2147483647", "2147483648", "-2147483648", "-2147483649",
		"9007199254740992", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775807", "-9223372036854775808", "-9223372036854775809", "99999999999999999999", "10000000000",
	}
	decimalLiterals = []string{
		"0.0", "-0.0", "1.0", "1.50", "+1.5", "-1.5", ".5", "-.5", "5.", "0.1", "0.005", "999.994", "999.995", "1e3", "1E3", "1e-3", "1.5e+1", "1.50e1", "-1.25e-2", "1e308", "1.8e308", "1e-307", "1e-400", "0e-400",
		"3.14159265358979323846", "123456789012345678901234567890.123", "9007199254740993.0", "0.1234567890123456789", "9999999999.5", "0.9995", "0.9994",
	}
)

// times returns instants and local times at all sorts of bounds.
func times() []time.Time {
	var zones []*time.Location
	for _, name := range []string{"Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Monrovia"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			panic(err)
		}
		zones = append(zones, zone)
	}
	for _, offset := range []int{0, 3600, -3600, 19800, -34200, 30, -30, -59, -60, -90, 59, 27009, -27009, 57599, -57599, 57600, -57600, 86399} {
		zones = append(zones, time.FixedZone("", offset))
	}
	zones = append(zones, time.UTC, time.FixedZone("named", 7200))
	local := []time.Time{
		time.Date(2024, 2, 29, 12, 34, 56, 123456789, time.UTC), time.Date(2024, 2, 29, 12, 34, 56, 123456000, time.UTC),
		time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), {}, time.Date(1, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	times := []time.Time{
		time.Now(), time.Now().UTC(), time.Unix(0, 0), time.Unix(0, 0).UTC(), time.Unix(-1, 999999000).UTC(), time.Unix(-1, 999999500).UTC(),
		time.Date(2024, 12, 31, 23, 59, 59, 999999499, time.UTC), time.Date(2024, 12, 31, 23, 59, 59, 999999500, time.UTC), time.Date(2024, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 500000000, time.UTC),
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(-43, 3, 15, 0, 0, 0, 0, time.UTC),
		time.Date(294276, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(-4712, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(2037, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for _, ns := range []int{1, 499, 500, 501, 1500, 2500, 999999500, 5_000_000, 15_000_000, 500_000_000, 499_999_500, 4_999_500, 4_999_499} {
		times = append(times, time.Date(1999, 12, 31, 23, 59, 59, ns, time.UTC), time.Date(2000, 1, 1, 0, 0, 0, ns, time.UTC), time.Date(2024, 1, 1, 0, 0, 1, ns, time.UTC))
	}
	for _, zone := range zones {
		for _, at := range local {
			times = append(times, time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), zone))
		}
		times = append(times, time.Date(9999, 12, 31, 23, 30, 0, 0, zone))
	}
	return times
}

// arguments returns all fixed values, and so many random ones of each Go type.
func arguments(r *rand.Rand, random int) []driver.Value {
	values := []driver.Value{nil, true, false, []byte(nil), []byte{}, []byte{0, 1, 0xfe, 0xff}}
	for _, n := range integers {
		values = append(values, n)
	}
	for _, f := range floats {
		values = append(values, f)
	}
	for _, text := range texts {
		values = append(values, text, []byte(text))
	}
	for _, at := range times() {
		values = append(values, at)
	}
	for range random {
		values = append(values, randomInteger(r), randomFloat(r), randomTime(r))
		for _, text := range []string{randomText(r), randomDecimal(r), randomTimestamp(r)} {
			values = append(values, text, []byte(text))
		}
	}
	return values
}

func randomInteger(r *rand.Rand) int64 { return int64(r.Uint64()) >> r.IntN(64) }

func randomFloat(r *rand.Rand) float64 {
	switch r.IntN(4) {
	case 0:
		return math.Float64frombits(r.Uint64())
	case 1:
		return float64(math.Float32frombits(r.Uint32()))
	case 2:
		return float64(randomInteger(r))
	default:
		return float64(randomInteger(r)) / math.Pow10(r.IntN(20))
	}
}

func randomTime(r *rand.Rand) time.Time {
	at := time.Unix(r.Int64N(6<<30)-2<<30, r.Int64N(1e9))
	switch r.IntN(4) {
	case 0:
		return at.UTC()
	case 1:
		return at.UTC().Round(time.Microsecond)
	default:
		return at.In(time.FixedZone("", r.IntN(100_000)-50_000))
	}
}

func randomText(r *rand.Rand) string {
	const letters = `ab ÄΩ日🙂'"\{},x0` + "\t"
	runes := []rune(letters)
	var b strings.Builder
	for range r.IntN(8) {
		b.WriteRune(runes[r.IntN(len(runes))])
	}
	return b.String()
}

func randomDecimal(r *rand.Rand) string {
	text := strconv.FormatInt(randomInteger(r), 10)
	if point := r.IntN(len(text) + 1); text[0] != '-' || point > 0 {
		text = text[:point] + "." + text[point:]
	}
	if r.IntN(3) == 0 {
		text += "e" + strconv.Itoa(r.IntN(30)-15)
	}
	return text
}

func randomTimestamp(r *rand.Rand) string {
	layouts := []string{"2006-01-02", "2006-01-02 15:04:05", "2006-01-02T15:04:05.999999Z07:00", "2006-01-02 15:04:05.000000000-07", "2006-01-02 15:04:05.9999999-07:00:00"}
	return randomTime(r).Format(layouts[r.IntN(len(layouts))])
}
