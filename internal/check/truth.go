package check

// truth is a set of the three values that a condition can have: those that are
// possible as far as the cells are known.
type truth uint8

const (
	isTrue truth = 1 << iota
	isFalse
	isNull

	anyTruth = isTrue | isFalse | isNull
)

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

func (t truth) not() truth {
	n := t & isNull
	if t&isTrue != 0 {
		n |= isFalse
	}
	if t&isFalse != 0 {
		n |= isTrue
	}
	return n
}

func (t truth) and(o truth) truth {
	result := t&o&isTrue | (t|o)&isFalse
	if t&isNull != 0 && o&(isNull|isTrue) != 0 || o&isNull != 0 && t&(isNull|isTrue) != 0 {
		result |= isNull
	}
	return result
}

func (t truth) or(o truth) truth { return t.not().and(o.not()).not() }

// is says whether t is one of the values of wanted, which is never NULL.
func (t truth) is(wanted truth) truth {
	result := truth(0)
	if t&wanted != 0 {
		result |= isTrue
	}
	if t&^wanted != 0 {
		result |= isFalse
	}
	return result
}
