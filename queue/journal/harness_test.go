package journal_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/queue/journal"
)

const path = "/var/lib/writebehind"

// options are those of most tests: small segments on a disk in memory.
func options(fsys journal.FS, sync bool) journal.Options {
	return journal.Options{
		Path: path, Identity: "7000000000000000001/16384", Sync: sync, SegmentBytes: 4096, FS: fsys,
		Logger: slog.New(slog.DiscardHandler),
	}
}

// modes are the values of Options.Sync.
var modes = []bool{true, false}

// create opens the directory and makes a journal in it.
func create(t testing.TB, opts journal.Options) *journal.Journal {
	t.Helper()
	d, err := journal.Open(opts)
	require.NoError(t, err)
	j, err := d.Create(1)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// orphans adopts what dead processes left.
func orphans(t testing.TB, opts journal.Options) ([]*journal.Journal, error) {
	t.Helper()
	d, err := journal.Open(opts)
	require.NoError(t, err)
	found, err := d.Orphans()
	for _, j := range found {
		t.Cleanup(func() { _ = j.Close() })
	}
	return found, err
}

// adopt adopts the only orphan.
func adopt(t testing.TB, opts journal.Options) *journal.Journal {
	t.Helper()
	found, err := orphans(t, opts)
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

// payloadOf is what the group with an LSN holds; its length varies.
func payloadOf(lsn journal.LSN) []byte {
	return fmt.Appendf(nil, "group %d %s", lsn, strings.Repeat("x", int(lsn*37%200)))
}

// definitionOf is the definition that the group with an LSN names.
func definitionOf(lsn journal.LSN) *journal.Definition {
	id := uint32(lsn % 5)
	return &journal.Definition{ID: id, Text: fmt.Appendf(nil, `{"table":%d}`, id)}
}

// add appends groups up to an LSN, and waits for each.
func add(t testing.TB, j *journal.Journal, from, to journal.LSN) {
	t.Helper()
	for lsn := from; lsn <= to; lsn++ {
		require.NoError(t, j.Append(lsn, payloadOf(lsn), definitionOf(lsn)))
		require.NoError(t, j.Wait(lsn))
		require.Equal(t, lsn, j.Durable())
	}
}

// verify replays the journal, whose groups must be exactly those from one LSN to
// another.
func verify(t testing.TB, j *journal.Journal, from, to journal.LSN) {
	t.Helper()
	next := from
	require.NoError(t, j.Replay(from, func(r journal.Record) error {
		require.Equal(t, next, r.LSN)
		require.Equal(t, string(payloadOf(next)), string(r.Payload))
		d := definitionOf(next)
		require.Equal(t, string(d.Text), string(r.Definition(d.ID)))
		next++
		return nil
	}))
	require.Equal(t, to+1, next)
}

// files are the paths of a journal's files, by the end of their names.
func files(t testing.TB, fsys journal.FS, j *journal.Journal, suffix string) []string {
	t.Helper()
	names, err := fsys.ReadDir(j.Dir())
	require.NoError(t, err)
	var paths []string
	for _, name := range names {
		if strings.HasSuffix(name, suffix) {
			paths = append(paths, j.Dir()+"/"+name)
		}
	}
	return paths
}

// How long a test looks for what another goroutine is to do.
const (
	waitLimit = 10 * time.Second
	waitTick  = time.Millisecond
)
