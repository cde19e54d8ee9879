package compare

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/lib/pq"
)

// Errors compares two errors in all that an application can look at: text,
// the types in the chain, and the fields of a *pq.Error. With anyRow, either
// may be about another row of the same statement.
func Errors(where string, ref, sub error, anyRow bool) *Difference {
	if anyRow && failedOnSomeRow(ref) && failedOnSomeRow(sub) {
		return nil
	}
	r, s := describeError(ref), maskParse(describeError(ref), describeError(sub))
	if r == s || maskMinted(r) == maskMinted(s) {
		return nil
	}
	return differ(ErrorDiffers, where, r, s)
}

// describeError writes down everything that tells one error from another.
func describeError(err error) string {
	if err == nil {
		return "no error"
	}
	var b strings.Builder
	b.WriteString(strings.Join(chain(err), " of "))
	fmt.Fprintf(&b, " %q", err.Error())
	var e *pq.Error
	if errors.As(err, &e) {
		v := reflect.ValueOf(*e)
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && !v.Field(i).IsZero() {
				fmt.Fprintf(&b, " %s=%q", f.Name, fmt.Sprint(v.Field(i)))
			}
		}
	}
	return b.String()
}

// chain returns the types that errors.As would meet. Errors made by
// errors.New are told apart by identity, which for the well-known ones (such
// as sql.ErrTxDone) their text stands for.
func chain(err error) []string {
	types := []string{reflect.TypeOf(err).String()}
	switch u := any(err).(type) {
	case interface{ Unwrap() error }:
		if next := u.Unwrap(); next != nil {
			return append(types, chain(next)...)
		}
	case interface{ Unwrap() []error }:
		for _, next := range u.Unwrap() {
			types = append(types, chain(next)...)
		}
	}
	return types
}
