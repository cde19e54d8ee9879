package generate

import (
	"database/sql"
	"encoding/json"
	"math"
	"strconv"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// integer is a small integer in all the Go types that applications use.
func integer(n int64) value {
	s := strconv.FormatInt(n, 10)
	return val(s, n, int(n), int32(n), s, []byte(s), float64(n), history.Valued{V: n},
		sql.NullInt64{Int64: n, Valid: true}, &n, history.Number(n), uint16(n), sql.NullInt32{Int32: int32(n), Valid: true}, &history.Valued{V: n}, json.Number(s))
}

func big(s string) value {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return val(s, s)
	}
	return val(s, n, s)
}

func numberKinds() []*kind {
	small := []value{integer(0), integer(1), integer(2), integer(3), integer(7)}
	wrong := []value{
		val("'abc'", "abc"), val("''", ""), val("1.5", 1.5, "1.5"), val("'1e3'", "1e3"), val("'0x10'", "0x10"),
		val("true", true), val("99999999999999999999", "99999999999999999999", uint64(math.MaxUint64)),
		val("NaN", math.NaN(), "NaN"), val("'{1}'", []int64{1}), val("'\\x31'", []byte{0x31, 0}), val("1_0", "1_0"),
	}
	loose := []value{val("' 5 '", " 5 "), val("'+6'", "+6"), val("'007'", "007"), val("-1", int64(-1), "-1")}
	return []*kind{
		{
			name: "int2", key: true, sums: "int", plain: small,
			edge:  append([]value{big("32767"), big("-32768")}, loose...),
			wrong: append([]value{big("32768"), big("-32769"), big("2147483648")}, wrong...),
		},
		{
			name: "int4", key: true, sums: "int", plain: small,
			edge:  append([]value{big("2147483647"), big("-2147483648")}, loose...),
			wrong: append([]value{big("2147483648"), big("-2147483649")}, wrong...),
		},
		{
			name: "int8", key: true, sums: "int", plain: small,
			edge:  append([]value{big("9223372036854775807"), big("-9223372036854775808")}, loose...),
			wrong: append([]value{big("9223372036854775808")}, wrong...),
		},
		{
			name: "float4", sums: "float",
			plain: []value{val("0", 0.0, int64(0)), val("1.5", 1.5, "1.5", float32(1.5)), val("0.1", 0.1, float32(0.1))},
			edge: []value{
				val("1.123456789", 1.123456789), val("'NaN'", math.NaN(), "NaN"), val("'Infinity'", math.Inf(1), "inf"),
				val("'-0'", math.Copysign(0, -1), "-0"), val("3.4028235e38", 3.4028235e38), val("1e-45", 1e-45), val("16777217", int64(16777217)),
			},
			wrong: []value{val("1e39", 1e39), val("1e-60", 1e-60), val("'x'", "x"), val("true", true)},
		},
		{
			name: "float8", sums: "float",
			plain: []value{val("0", 0.0, int64(0)), val("2.5", 2.5, "2.5", float32(2.5), history.Valued{V: 2.5}, sql.NullFloat64{Float64: 2.5, Valid: true}, json.Number("2.5")), val("0.1", 0.1)},
			edge: []value{
				val("0.30000000000000004", 0.30000000000000004), val("'NaN'", math.NaN(), "NaN", "nan"), val("'-Infinity'", math.Inf(-1)),
				val("'-0'", math.Copysign(0, -1)), val("1.7976931348623157e308", math.MaxFloat64), val("5e-324", 5e-324),
				val("9007199254740993", int64(9007199254740993)), val("' 1.0 '", " 1.0 ", "1e0", "0001"),
			},
			wrong: []value{val("'1e400'", "1e400"), val("'x'", "x"), val("''", ""), val("false", false)},
		},
		{
			name: "numeric(8,2)", sums: "numeric",
			plain: []value{val("0", "0", int64(0)), val("1.5", "1.5", 1.5, "1.50", []byte("1.5")), val("10.25", "10.25", 10.25)},
			edge: []value{
				val("1.555", "1.555", 1.555), val("-99.995", "-99.995"), val("999999.99", "999999.99"), val("'NaN'", "NaN", math.NaN()),
				val("1e3", "1e3"), val("'-0'", "-0", "-0.00"), val("0.004", "0.004", 0.004), val("' 3 '", " 3 ", ".3e1", "+3."),
			},
			wrong: []value{val("999999.995", "999999.995"), val("1e6", "1e6"), val("'Infinity'", "Infinity", math.Inf(1)), val("'1,5'", "1,5"), val("''", ""), val("true", true)},
		},
		{
			name: "numeric", sums: "",
			plain: []value{val("0", "0", int64(0)), val("1.1", "1.1", 1.1), val("1.10", "1.10")},
			edge: []value{
				val("1e20", "1e20", 1e20), val("1e-20", "1e-20"), val("'NaN'", "NaN", math.NaN()), val("'Infinity'", "Infinity", math.Inf(1)),
				val("'-0.000'", "-0.000"), val("00012.3400", "00012.3400"), val("1e300", "1e300"),
				val("123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"),
			},
			wrong: []value{val("'x'", "x"), val("'1e200000'", "1e200000"), val("''", ""), val("true", true)},
		},
	}
}
