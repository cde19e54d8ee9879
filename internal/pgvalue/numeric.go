package pgvalue

import (
	"math/big"
	"strconv"
	"strings"
)

// maxNumeric bounds length and exponent of the numbers that are known, far
// below what numeric holds.
const maxNumeric = 1000

// decimal is a finite number, digits * 10^-scale, with at least one digit
// before the point and no other leading zero.
type decimal struct {
	negative bool
	digits   []byte
	scale    int
}

// parseDecimal reads digits with an optional point, minus sign and exponent.
func parseDecimal(text string) (decimal, bool) {
	mantissa, exponent, ok := splitDecimal(text)
	if !ok {
		return decimal{}, false
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	d := decimal{negative: negative, scale: len(fraction) - exponent}
	d.digits = append(append(make([]byte, 0, len(text)+1), whole...), fraction...)
	if d.scale < 0 {
		d.digits = appendZeros(d.digits, -d.scale)
		d.scale = 0
	}
	return d.trim(), true
}

// splitDecimal checks the syntax of a decimal number and splits off its exponent.
func splitDecimal(text string) (mantissa string, exponent int, ok bool) {
	if len(text) > maxNumeric {
		return "", 0, false
	}
	mantissa = text
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		e := text[i+1:]
		digits := e
		if e != "" && (e[0] == '-' || e[0] == '+') {
			digits = e[1:]
		}
		if digits == "" || len(digits) > 4 || !allDigits(digits) {
			return "", 0, false
		}
		exponent, _ = strconv.Atoi(e)
		if exponent < -maxNumeric || exponent > maxNumeric {
			return "", 0, false
		}
	}
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	if len(whole)+len(fraction) == 0 || !allDigits(whole) || !allDigits(fraction) {
		return "", 0, false
	}
	return mantissa, exponent, true
}

// trim brings the leading zeros to the number that the scale asks for.
func (d decimal) trim() decimal {
	for len(d.digits) > d.scale+1 && d.digits[0] == '0' {
		d.digits = d.digits[1:]
	}
	if missing := d.scale + 1 - len(d.digits); missing > 0 {
		d.digits = append(appendZeros(make([]byte, 0, d.scale+1), missing), d.digits...)
	}
	return d
}

// round brings d to the scale, halves away from zero.
func (d decimal) round(scale int) decimal {
	if scale >= d.scale {
		d.digits = appendZeros(d.digits, scale-d.scale)
		d.scale = scale
		return d
	}
	end := len(d.digits) - (d.scale - scale)
	up := d.digits[end] >= '5'
	d.digits, d.scale = d.digits[:end], scale
	if !up {
		return d
	}
	for i := end - 1; i >= 0; i-- {
		if d.digits[i] < '9' {
			d.digits[i]++
			return d
		}
		d.digits[i] = '0'
	}
	d.digits = append([]byte{'1'}, d.digits...)
	return d
}

func (d decimal) zero() bool {
	for _, c := range d.digits {
		if c != '0' {
			return false
		}
	}
	return true
}

// String is the text that PostgreSQL writes: zero has no sign.
func (d decimal) String() string {
	b := make([]byte, 0, len(d.digits)+2)
	if d.negative && !d.zero() {
		b = append(b, '-')
	}
	whole := len(d.digits) - d.scale
	b = append(b, d.digits[:whole]...)
	if d.scale > 0 {
		b = append(append(b, '.'), d.digits[whole:]...)
	}
	return string(b)
}

func appendZeros(b []byte, n int) []byte {
	for range n {
		b = append(b, '0')
	}
	return b
}

// fitNumeric returns the text of the number as a column of type t holds it.
func (t Type) fitNumeric(text string, assign bool) (string, bool) {
	if text == "NaN" {
		return text, true
	}
	d, ok := parseDecimal(text)
	if !ok {
		return "", false
	}
	return t.fitDecimal(d, assign)
}

// fitDecimal applies precision and scale. Negative scales and ones above the
// precision, which only PostgreSQL 15 and later have, are not known.
func (t Type) fitDecimal(d decimal, assign bool) (string, bool) {
	if !assign || t.Mod < modHeader {
		return d.String(), true
	}
	precision := int(t.Mod-modHeader) >> 16
	scale := int(t.Mod-modHeader) & 0xffff
	if scale > precision {
		return "", false
	}
	d = d.round(scale)
	if d.wholeDigits() > precision-scale {
		return "", false
	}
	return d.String(), true
}

// wholeDigits counts the digits before the point, 0 for a number below one.
func (d decimal) wholeDigits() int {
	n := len(d.digits) - d.scale
	if n == 1 && d.digits[0] == '0' {
		return 0
	}
	return n
}

// add returns a+b or a-b at the larger of both scales, as PostgreSQL does.
func (d decimal) add(o decimal, subtract bool) decimal {
	scale := max(d.scale, o.scale)
	a, b := d.round(scale).integer(), o.round(scale).integer()
	if subtract {
		b.Neg(b)
	}
	a.Add(a, b)
	sum := decimal{negative: a.Sign() < 0, scale: scale}
	sum.digits = a.Abs(a).Append(nil, 10)
	return sum.trim()
}

// integer returns the digits of d, without the point, as an integer.
func (d decimal) integer() *big.Int {
	n, _ := new(big.Int).SetString(string(d.digits), 10)
	if d.negative {
		n.Neg(n)
	}
	return n
}
