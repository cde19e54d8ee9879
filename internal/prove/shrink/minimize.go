// Package shrink cuts a history that shows a difference down to a small one
// that still does.
package shrink

import "slices"

// minimize returns a shortest list it can find that still fails, by leaving
// out ever smaller runs of elements (delta debugging). The list given is known
// to fail. The order of elements is kept.
func minimize[T any](list []T, fails func([]T) bool) []T {
	for size := (len(list) + 1) / 2; size >= 1; {
		smaller := false
		// From the end, as what comes late is needed least often.
		for end := len(list); end > 0; end -= size {
			start := max(0, end-size)
			candidate := slices.Concat(list[:start], list[end:])
			if fails(candidate) {
				list, smaller = candidate, true
			}
		}
		switch {
		case size == 1 && !smaller:
			return list
		case size > 1:
			size = (size + 1) / 2
		}
	}
	return list
}
