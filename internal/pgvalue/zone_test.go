package pgvalue_test

import (
	"os"
	osexec "os/exec"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/pgvalue"
)

// serverOffsets is the query that the comment of ZoneProbes gives.
const serverOffsets = `SELECT extract(timezone FROM p)::int
	FROM unnest($1::timestamptz[]) WITH ORDINALITY AS u(p, i) ORDER BY i`

func TestZoneProbesAgreeWithServerOfSameZone(t *testing.T) {
	server := pgtest.Shared(t)
	name := server.CreateDatabase(t)
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Monrovia"} {
		loc, err := time.LoadLocation(zone)
		require.NoError(t, err)
		probes := pgvalue.ZoneProbes(loc)
		differing := func(sessionZone string) (n int) {
			s := session{db: openDB(t, server.DSN(name, "timezone="+sessionZone))}
			offsets := s.list(t, serverOffsets, pq.Array(probes))
			require.Len(t, offsets, len(probes))
			for i, probe := range probes {
				if _, offset := probe.Zone(); int64(offset) != offsets[i] {
					n++
				}
			}
			return n
		}
		require.Zero(t, differing(zone), zone)
		require.NotZero(t, differing("Europe/London"), zone)
	}
}

func TestZoneProbesHoldBothSidesOfEachChange(t *testing.T) {
	loc, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	change := time.Date(2024, 3, 31, 1, 0, 0, 0, time.UTC)
	found := make(map[int64]bool)
	for _, probe := range pgvalue.ZoneProbes(loc) {
		require.Same(t, loc, probe.Location())
		require.True(t, pgvalue.Session{Location: loc}.KnowsInstant(probe), probe)
		found[probe.Unix()] = true
	}
	require.True(t, found[change.Unix()] && found[change.Unix()-1])
	require.True(t, found[time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).Unix()])
	require.True(t, found[time.Date(2037, 12, 31, 23, 59, 59, 0, time.UTC).Unix()])

	require.Nil(t, pgvalue.ZoneProbes(time.UTC))
	require.Nil(t, pgvalue.ZoneProbes(nil))
	require.NotEmpty(t, pgvalue.ZoneProbes(time.FixedZone("fixed", 3600)))
}

// pq.EnableInfinityTs cannot be undone, so that a process of its own calls it.
func TestInfinityTimes(t *testing.T) {
	const child = "PGVALUE_ENABLE_INFINITY"
	if os.Getenv(child) != "" {
		pq.EnableInfinityTs(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
		require.True(t, pgvalue.InfinityTimes())
		return
	}
	require.False(t, pgvalue.InfinityTimes())
	cmd := osexec.Command(os.Args[0], "-test.run=^TestInfinityTimes$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
