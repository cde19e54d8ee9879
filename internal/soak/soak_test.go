package main

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// short is a run of some seconds.
func short() options {
	o := standard()
	o.seed = uint64(time.Now().UnixNano()) //nolint:gosec // any number will do
	o.every = 200 * time.Millisecond
	o.calm = 200 * time.Millisecond
	o.scale = 0.25
	o.verbose = true
	return o
}

func soaked(t *testing.T, o options) (r *report, output string) {
	t.Helper()
	var out bytes.Buffer
	r, err := run(t.Context(), &out, o)
	if errors.Is(err, pgtest.ErrExternal) {
		t.Skip(err)
	}
	t.Log(out.String())
	require.NoError(t, err)
	return r, out.String()
}

// One fault of each kind. So short a run says nothing of what grows.
func TestNothingIsLostAndTheTableIsFilled(t *testing.T) {
	o := short()
	o.length = 12 * time.Second
	o.faults = len(faults)
	r, out := soaked(t, o)
	require.Empty(t, r.lost)
	require.Zero(t, r.wrong)
	require.Empty(t, r.problems)
	require.Empty(t, r.stuck)
	require.Positive(t, r.acknowledged)
	for i, f := range figures {
		if (i == descriptors || i == residentMemory) && math.IsNaN(openDescriptors()) {
			continue // there is no /proc
		}
		require.Positive(t, r.first[i].n, f.name)
		require.Positive(t, r.last[i].n, f.name)
	}
	for _, f := range faults {
		require.Regexp(t, `(?m)^`+f.name+` +1 `, out)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Regexp(t, `^soak: minutes 0\.2 acknowledged [1-9][0-9]* lost 0 `, lines[len(lines)-1])
}

// What is lost behind the shim's back is found.
func TestLossIsFound(t *testing.T) {
	o := short()
	o.length = 2 * time.Second
	o.calm = time.Hour // no fault
	o.spoil = func(p *place) error {
		for _, loss := range []string{
			`DELETE FROM orders WHERE id = (SELECT min(id::text)::uuid FROM orders WHERE lines = 0)`,
			`UPDATE ballast SET writes = writes - 1`,
		} {
			if _, err := p.past.ExecContext(context.Background(), loss); err != nil {
				return err
			}
		}
		return nil
	}
	r, out := soaked(t, o)
	require.Len(t, r.lost, 2)
	require.False(t, r.fine())
	require.Contains(t, out, " lost 2 ")
	require.Zero(t, r.unexplained, "there was no fault")
	require.Zero(t, r.doubtful)
}
