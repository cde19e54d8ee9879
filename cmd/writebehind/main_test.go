package main

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/queue/journal"
)

// definitions are as they stand in the journals of users: their form stays
// readable.
var definitions = [2]string{
	`{"oid":16400,"schema":"public","table":"items","kind":"insert","key":["id"],"columns":[` +
		`{"name":"id","type":"bigint","value":{"OID":20,"Mod":-1,"Kind":0,"Labels":null}},` +
		`{"name":"name","type":"text","value":{"OID":25,"Mod":-1,"Kind":0,"Labels":null}}]}`,
	`{"oid":16400,"schema":"public","table":"items","kind":"update","set":["name"],"key":["id"],"columns":[` +
		`{"name":"id","type":"bigint","value":{"OID":20,"Mod":-1,"Kind":0,"Labels":null}},` +
		`{"name":"name","type":"text","value":{"OID":25,"Mod":-1,"Kind":0,"Labels":null}}]}`,
}

// makeJournal fills a journal of some segments in a directory.
func makeJournal(t *testing.T, dir string, groups int) *journal.Journal {
	t.Helper()
	d, err := journal.Open(journal.Options{Path: dir, Identity: "7/16384", Sync: true, SegmentBytes: 4096})
	require.NoError(t, err)
	j, err := d.Create(1)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	for lsn := 1; lsn <= groups; lsn++ {
		def := &journal.Definition{ID: uint32(lsn % 2), Text: []byte(definitions[lsn%2])}
		row := []driver.Value{int64(lsn), nil}
		if lsn%2 == 1 {
			row[1] = "one\n" + strings.Repeat("x", 100)
		}
		image, err := rowimage.AppendRow(nil, time.UTC, row)
		require.NoError(t, err)
		group := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(def.ID)), uint64(len(image)))
		require.NoError(t, j.Append(journal.LSN(lsn), append(group, image...), def))
	}
	require.NoError(t, j.Wait(journal.LSN(groups)))
	return j
}

type line map[string]any

// call runs the command and parses its output.
func call(t *testing.T, args ...string) (status int, lines []line, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	status = run(args, &out, &errs)
	decoder := json.NewDecoder(strings.NewReader(out.String()))
	for decoder.More() {
		var l line
		require.NoError(t, decoder.Decode(&l))
		lines = append(lines, l)
	}
	return status, lines, errs.String()
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"journal"}, {"journal", "inspect"}, {"journal", "erase", "x"}, {"dump", "verify", "x"}} {
		status, lines, stderr := call(t, args...)
		require.Equal(t, exitFailure, status)
		require.Empty(t, lines)
		require.Contains(t, stderr, "usage:")
	}
	var out strings.Builder
	require.Equal(t, exitOK, run([]string{"-h"}, &out, &out))
	require.Contains(t, out.String(), "usage:")
}

func TestInspectTellsLiveFromOrphan(t *testing.T) {
	dir := t.TempDir()
	j := makeJournal(t, dir, 100)
	for _, state := range []string{"live", "orphan"} {
		for _, at := range []string{dir, j.Dir()} {
			status, lines, stderr := call(t, "journal", "inspect", at)
			require.Equal(t, exitOK, status, stderr)
			require.Equal(t, j.ID(), lines[0]["journal"])
			require.Equal(t, state, lines[0]["state"])
			require.Equal(t, true, lines[0]["whole"])
			require.Equal(t, "7/16384", lines[0]["identity"])
			require.EqualValues(t, 1, lines[0]["first_lsn"])
			require.EqualValues(t, 100, lines[0]["last_lsn"])
			require.Len(t, lines, 1+int(lines[0]["segments"].(float64)))
			require.Equal(t, "whole", lines[1]["state"])
			require.EqualValues(t, 1, lines[1]["first_lsn"])
		}
		require.NoError(t, j.Close())
	}
}

func TestVerifyNamesTheDamage(t *testing.T) {
	dir := t.TempDir()
	j, whole := makeJournal(t, dir, 100), makeJournal(t, dir, 10)
	require.NoError(t, j.Close())
	require.NoError(t, whole.Close())
	status, lines, stderr := call(t, "journal", "verify", dir)
	require.Equal(t, exitOK, status, stderr)
	require.Empty(t, lines)

	file := filepath.Join(j.Dir(), "0000000000000001.segment")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	data[1000] ^= 1
	require.NoError(t, os.WriteFile(file, data, 0o600))

	status, lines, _ = call(t, "journal", "verify", dir)
	require.Equal(t, exitDamage, status)
	require.Len(t, lines, 1)
	require.Equal(t, file, lines[0]["file"])
	require.LessOrEqual(t, lines[0]["offset"], 1000.0)
	require.NotZero(t, lines[0]["lsn"])

	status, lines, _ = call(t, "journal", "inspect", j.Dir())
	require.Equal(t, exitOK, status)
	require.Equal(t, false, lines[0]["whole"])
	require.Equal(t, "damaged", lines[1]["state"])

	status, lines, stderr = call(t, "journal", "export", dir)
	require.Equal(t, exitDamage, status)
	require.Contains(t, stderr, file)
	require.NotEmpty(t, lines, "the other journal is exported")
}

func TestExportShowsWhatEveryGroupDoes(t *testing.T) {
	dir := t.TempDir()
	makeJournal(t, dir, 100)
	status, lines, stderr := call(t, "journal", "export", dir)
	require.Equal(t, exitOK, status, stderr)
	require.Len(t, lines, 100)
	for i, l := range lines {
		lsn := i + 1
		require.EqualValues(t, lsn, l["lsn"])
		change := map[string]any{
			"table_schema": "public", "table_name": "items", "kind": "insert",
			"key":        map[string]any{"id": fmt.Sprint(lsn)},
			"new_values": map[string]any{"id": fmt.Sprint(lsn), "name": nil},
		}
		if lsn%2 == 1 {
			change["kind"], change["set_columns"] = "update", []any{"name"}
			change["new_values"] = map[string]any{"id": fmt.Sprint(lsn), "name": "one\n" + strings.Repeat("x", 100)}
		}
		require.Equal(t, []any{change}, l["changes"])
	}
}

func TestExportRefusesGroupsOfAnotherFormat(t *testing.T) {
	dir := t.TempDir()
	d, err := journal.Open(journal.Options{Path: dir, Identity: "7/16384", Sync: true, SegmentBytes: 4096})
	require.NoError(t, err)
	j, err := d.Create(1)
	require.NoError(t, err)
	require.NoError(t, j.Append(1, []byte("no group"), &journal.Definition{ID: 1, Text: []byte(`{}`)}))
	require.NoError(t, errors.Join(j.Wait(1), j.Close()))
	status, _, stderr := call(t, "journal", "export", dir)
	require.Equal(t, exitDamage, status)
	require.Contains(t, stderr, "LSN 1")
}

func TestWhatIsNoJournalIsAnError(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "missing")} {
		for _, command := range []string{"inspect", "verify", "export"} {
			status, lines, stderr := call(t, "journal", command, dir)
			require.Equal(t, exitFailure, status)
			require.Empty(t, lines)
			require.Contains(t, stderr, dir)
		}
	}
}
