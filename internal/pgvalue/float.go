package pgvalue

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// The smallest normal numbers. Below them a C library may report an underflow,
// so nothing is known.
const (
	minNormal64 = 0x1p-1022
	minNormal32 = 0x1p-126
)

func subnormal(f, minNormal float64) bool {
	return f != 0 && math.Abs(f) < minNormal
}

// parseFloat8 reads a decimal number and the names of the special values.
func parseFloat8(text string) (float64, bool) {
	return parseFloat(text, 64, minNormal64)
}

// parseFloat4 returns what a real column gives back for text.
func parseFloat4(text string) (float64, bool) {
	f, ok := parseFloat(text, 32, minNormal32)
	if !ok {
		return 0, false
	}
	return canonicalFloat4(float32(f))
}

func parseFloat(text string, bits int, minNormal float64) (float64, bool) {
	switch text {
	case "NaN":
		return math.NaN(), true
	case "Infinity", "+Inf":
		return math.Inf(1), true
	case "-Infinity", "-Inf":
		return math.Inf(-1), true
	}
	mantissa, _, ok := splitDecimal(text)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, bits)
	if err != nil || subnormal(f, minNormal) {
		return 0, false
	}
	if f == 0 && strings.Trim(mantissa, "-.0") != "" {
		return 0, false // an underflow
	}
	return f, true
}

// canonicalFloat4 returns what lib/pq returns for a real column that holds f:
// the shortest decimal of the 32-bit number, parsed as a 64-bit one.
func canonicalFloat4(f float32) (float64, bool) {
	wide := float64(f)
	switch {
	case wide != wide:
		return math.NaN(), true
	case wide == 0 || math.IsInf(wide, 0):
		return wide, true
	case subnormal(wide, minNormal32):
		return 0, false
	}
	var buf, longer [32]byte
	shortest := strconv.AppendFloat(buf[:0], wide, 'e', -1, 32)
	g, err := strconv.ParseFloat(string(shortest), 64)
	if err != nil {
		return 0, false
	}
	// PostgreSQL never writes a decimal that lies exactly between two 32-bit
	// numbers; Go does where it reads back right.
	below := math.Nextafter32(f, float32(math.Inf(-1)))
	above := math.Nextafter32(f, float32(math.Inf(1)))
	if g == (wide+float64(below))/2 || g == (wide+float64(above))/2 {
		return 0, false
	}
	// Where f lies exactly between two decimals of that length, PostgreSQL takes
	// the even one and Go the larger one: f is then written in full by one digit
	// more, which is a 5.
	digits := bytes.IndexByte(shortest, 'e')
	if shortest[0] == '-' {
		digits--
	}
	if digits > 1 {
		digits-- // the point
	}
	full := strconv.AppendFloat(longer[:0], wide, 'e', digits, 64)
	if full[bytes.IndexByte(full, 'e')-1] == '5' {
		if h, err := strconv.ParseFloat(string(full), 64); err != nil || h == wide {
			return 0, false
		}
	}
	return g, true
}
