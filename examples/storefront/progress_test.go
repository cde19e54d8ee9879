package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBarIsRedrawnOnATerminalOnly(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		var out bytes.Buffer
		p := progress{w: &out, terminal: terminal, label: "side", total: 4 * time.Second, done: func() int64 { return 1000 }}
		p.draw(time.Second)
		p.draw(8 * time.Second)
		require.Equal(t, terminal, strings.Contains(out.String(), "\r"))
		require.Equal(t, terminal, strings.Contains(out.String(), "#"))
		require.Contains(t, out.String(), "25 %  1,000 operations, 1,000/s")
		require.Contains(t, out.String(), "100 %  1,000 operations, 125/s")
	}
}

func TestFileIsNoTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer f.Close()
	require.False(t, isTerminal(f))
	require.False(t, isTerminal(&bytes.Buffer{}))
}
