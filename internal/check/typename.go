package check

import "github.com/lib/pq/oid"

// typeName is a type as it is written in a cast.
type typeName struct {
	oid   oid.Oid
	own   bool // it is not one of those known by name, maybe an enum
	array bool
}

// typeWords are the names, as format_type prints them, of the types whose
// constants are known. The longer ones come first.
var typeWords = []struct {
	words []string
	oid   oid.Oid
}{
	{[]string{"timestamp", "without", "time", "zone"}, oid.T_timestamp},
	{[]string{"timestamp", "with", "time", "zone"}, oid.T_timestamptz},
	{[]string{"character", "varying"}, oid.T_varchar},
	{[]string{"smallint"}, oid.T_int2},
	{[]string{"integer"}, oid.T_int4},
	{[]string{"bigint"}, oid.T_int8},
	{[]string{"numeric"}, oid.T_numeric},
	{[]string{"boolean"}, oid.T_bool},
	{[]string{"text"}, oid.T_text},
	{[]string{"bpchar"}, oid.T_bpchar},
	{[]string{"uuid"}, oid.T_uuid},
	{[]string{"date"}, oid.T_date},
}

// typeName takes the name of a type. One with a length is not known.
func (p *parser) typeName() (t typeName, ok bool) {
	if t.oid = p.knownType(); t.oid == 0 {
		t.own = true
		if !p.typePart() || p.sign(".") && !p.typePart() {
			return t, false
		}
	}
	if p.sign("[") {
		t.array = true
		if !p.sign("]") {
			return t, false
		}
	}
	return t, !p.is(sign, "(")
}

func (p *parser) knownType() oid.Oid {
	for _, t := range typeWords {
		if len(p.tokens) < len(t.words) {
			continue
		}
		same := true
		for i, word := range t.words {
			same = same && p.tokens[i] == token{name, word}
		}
		if same {
			p.tokens = p.tokens[len(t.words):]
			return t.oid
		}
	}
	return 0
}

// typePart takes one part of the name of a type of the user's own.
func (p *parser) typePart() bool {
	if len(p.tokens) == 0 || p.tokens[0].kind != name && p.tokens[0].kind != quotedName {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}
