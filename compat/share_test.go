package compat

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

// TestShareThatDoesNotWait counts, in steady state, how many of the keyed statements
// of the hot part are answered from memory. What a program sends is counted on lib/pq,
// where it sends the same: TestSameShop compares what comes of it.
func TestShareThatDoesNotWait(t *testing.T) {
	const warm, rounds = 5, 40
	for _, lib := range libraries {
		t.Run(lib.name, func(t *testing.T) {
			measured := func(driver, dsn string) shop {
				tr := newTrace()
				s := lib.open(t, driver, dsn, tr)
				s.run(tr)
				for round := range warm {
					s.order(tr, round)
				}
				return s
			}
			plain := measured(countingDriver, database(t))
			before := keyedSent.Load()
			tr := newTrace()
			for round := range rounds {
				plain.order(tr, warm+round)
			}
			keyed := keyedSent.Load() - before
			require.NotZero(t, keyed)

			shim := measured("writebehind", behind(t, database(t)))
			first, err := writebehind.Stats(shim.db())
			require.NoError(t, err)
			tr = newTrace()
			for round := range rounds {
				shim.order(tr, warm+round)
			}
			last, err := writebehind.Stats(shim.db())
			require.NoError(t, err)

			without := last.Deferred - first.Deferred + last.Cached - first.Cached - (last.LookedUp - first.LookedUp)
			share := 100 * float64(without) / float64(keyed)
			t.Logf("compat: %s keyed %d without waiting %d (%.1f %%)", lib.name, keyed, without, share)
			t.Logf("missed %d, looked up %d, direct %d, transactions buffered %d, made real %d", last.Missed-first.Missed, last.LookedUp-first.LookedUp,
				last.Direct-first.Direct, last.Buffered-first.Buffered, last.MadeReal-first.MadeReal)
			require.LessOrEqual(t, share, 100.0)
			require.GreaterOrEqual(t, share, lib.least)
		})
	}
}
