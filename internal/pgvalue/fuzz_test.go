package pgvalue_test

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/oid"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

// FuzzNumeric checks that a number keeps its value, that its text is a fixed
// point, and that a column's scale moves it by half a unit at most.
func FuzzNumeric(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		free, scaled := base(oid.T_numeric, -1), base(oid.T_numeric, precision(1000, 2))
		v, ok := free.Argument(utc, text)
		if !ok || text == "NaN" {
			return
		}
		stored := string(v.([]byte))
		again, ok := free.Argument(utc, stored)
		if len(stored) <= 1000 && (!ok || string(again.([]byte)) != stored) {
			t.Fatalf("%q becomes %q, which becomes %v", text, stored, again)
		}
		want, ok := new(big.Rat).SetString(text)
		got, ok2 := new(big.Rat).SetString(stored)
		if !ok || !ok2 || want.Cmp(got) != 0 {
			t.Fatalf("%q becomes %q", text, stored)
		}
		if strings.ContainsAny(stored, "eE+") || strings.HasPrefix(stored, ".") || strings.HasSuffix(stored, ".") {
			t.Fatalf("%q becomes %q, which PostgreSQL does not write", text, stored)
		}
		v, ok = scaled.Argument(utc, text)
		if !ok {
			return
		}
		rounded, ok := new(big.Rat).SetString(string(v.([]byte)))
		distance := new(big.Rat).Sub(rounded, want)
		if !ok || distance.Abs(distance).Cmp(big.NewRat(1, 200)) > 0 {
			t.Fatalf("%q is rounded to %q", text, v)
		}
		if whole, fraction, ok := strings.Cut(string(v.([]byte)), "."); !ok || whole == "" || len(fraction) != 2 {
			t.Fatalf("%q is rounded to %q", text, v)
		}
	})
}

// FuzzTimestamp checks that what is known of a text is what lib/pq itself reads
// from it, to the microsecond, and that it is written back as the same time.
func FuzzTimestamp(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		typ := base(oid.T_timestamptz, -1)
		v, ok := typ.Argument(utc, text)
		if !ok {
			return
		}
		at := v.(time.Time)
		want, err := pq.ParseTimestamp(nil, strings.Replace(text, "T", " ", 1))
		if err != nil {
			t.Fatalf("%q becomes %v, lib/pq says %v", text, at, err)
		}
		if distance := at.Sub(want).Abs(); distance > 500*time.Nanosecond+1 {
			t.Fatalf("%q becomes %v, lib/pq reads %v", text, at, want)
		}
		written, ok := typ.AppendText(nil, at)
		again, known := typ.Argument(utc, string(written))
		if !ok || !known || !identical(v, again) {
			t.Fatalf("%q becomes %v, is written %q and becomes %v", text, at, written, again)
		}
	})
}

// FuzzJSON checks that what is known to be json is kept verbatim, and is known
// also when sent as bytes.
func FuzzJSON(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		typ := base(oid.T_json, -1)
		v, ok := typ.Argument(utc, text)
		if !ok {
			return
		}
		if string(v.([]byte)) != text {
			t.Fatalf("%q becomes %q", text, v)
		}
		if _, ok := typ.Argument(pgvalue.Session{UTF8: true, BinaryParameters: true}, []byte(text)); !ok {
			t.Fatalf("%q is known as string only", text)
		}
	})
}
