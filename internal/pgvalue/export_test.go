package pgvalue

// HasEquality says whether values of t can be compared.
func (t Type) HasEquality() bool { return t.hasEquality() }
