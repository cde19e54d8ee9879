package main

import (
	"bytes"
	"database/sql/driver"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/prove/faulty"
	"github.com/writebehind/writebehind/internal/prove/generate"
	"github.com/writebehind/writebehind/internal/prove/run"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func proveShort(t *testing.T, o options) (divergences int, output string) {
	t.Helper()
	var out bytes.Buffer
	n, err := proveOn(t.Context(), &out, o, pgtest.Shared(t))
	require.NoError(t, err)
	return n, out.String()
}

// TestShimIsNotToldFromTheRealDriver is the short form of the command, each
// time with other histories.
func TestShimIsNotToldFromTheRealDriver(t *testing.T) {
	n, out := proveShort(t, options{
		driver: "writebehind", statements: 1500, length: 150, only: -1, most: 1,
		seed: uint64(time.Now().UnixNano()), shrink: true, shrinkFor: 30 * time.Second,
	})
	t.Log(out)
	require.Zero(t, n)
}

func TestPlantedMistakeIsCutDown(t *testing.T) {
	// An UPDATE of the table plain is counted once too often, if it met a row.
	faulty.Register(t.Name(), faulty.Fault{Exec: func(q string, args []driver.NamedValue, next faulty.Exec) (driver.Result, error) {
		r, err := next(q, args)
		if err != nil || !strings.Contains(strings.ToUpper(q), "UPDATE") {
			return r, err
		}
		if n, err := r.RowsAffected(); err == nil && n == 1 {
			return driver.RowsAffected(2), nil
		}
		return r, err
	}})
	n, out := proveShort(t, options{
		driver: t.Name(), statements: 300, length: 300, only: -1, most: 1, seed: 1, shrink: true, shrinkFor: time.Minute,
	})
	require.Equal(t, 1, n, out)
	require.Contains(t, out, "RowsAffected")
	require.Regexp(t, `prove: statements \d+ schemas \d+ divergences 1\n$`, out)

	found := regexp.MustCompile(`cut down to (\d+) statements`).FindStringSubmatch(out)
	require.NotNil(t, found, out)
	statements, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	require.LessOrEqual(t, statements, 3)

	source := out[strings.Index(out, "\nfunc Test"):strings.LastIndex(out, "\nprove: deferred")]
	_, err = parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+source, 0)
	require.NoError(t, err, source)
}

func TestPlainDriverHasNoDivergence(t *testing.T) {
	n, out := proveShort(t, options{driver: run.Reference, statements: 400, length: 200, only: -1, most: 1, seed: 2})
	require.Zero(t, n, out)
	require.Regexp(t, `(?s)^prove: driver postgres seed 2\nprove: deferred 0.0% cached 0.0% direct 100.0%\n`+
		`prove: in transactions [\d.]+ %, buffered to the end 0.0 %\nprove: histories of several connections \d+, [^\n]+\nprove: statements \d+ schemas \d+ divergences 0\n$`, out)
}

// TestPlantedMistakesOfTransactionsAreFound sees that the generated histories
// show what only transactions, or only several connections, can, and what COPY brings.
func TestPlantedMistakesOfTransactionsAreFound(t *testing.T) {
	for name, fault := range map[string]faulty.Fault{
		"lost rollback": {Tx: func(begin func() (driver.Tx, error)) (driver.Tx, error) {
			tx, err := begin()
			return commits{tx}, err
		}},
		"rows are not locked": {Text: func(q string) string {
			if at := strings.Index(strings.ToUpper(q), " FOR "); at > 0 && strings.HasPrefix(strings.ToUpper(q), "SELECT") {
				return q[:at]
			}
			return q
		}},
		"lost copies": {Copied: func([]driver.Value) bool { return false }},
	} {
		t.Run(name, func(t *testing.T) {
			faulty.Register(t.Name(), fault)
			n, out := proveShort(t, options{
				driver: t.Name(), statements: 6000, length: 300, only: -1, most: 1, seed: 1, shrink: true, shrinkFor: 20 * time.Second,
			})
			require.Equal(t, 1, n, out)
			require.Contains(t, out, "cut down to")
		})
	}
}

// commits is a transaction that cannot be rolled back.
type commits struct{ driver.Tx }

func (c commits) Rollback() error { return c.Commit() }

func TestEverySchemaLoads(t *testing.T) {
	bench, err := run.NewBench(t.Context(), pgtest.Shared(t), run.Reference)
	require.NoError(t, err)
	defer func() { require.NoError(t, bench.Close()) }()
	seed := uint64(time.Now().UnixNano())
	for i := range uint64(60) {
		h := generate.History(seed, i, 0)
		_, err := bench.Run(t.Context(), h)
		require.NoError(t, err, "seed %d history %d: %q", seed, i, h.Schema)
	}
}

func TestOneHistoryCanBeRunAgain(t *testing.T) {
	_, first := proveShort(t, options{driver: run.Reference, statements: 1, length: 50, only: 3, most: 1, seed: 2})
	_, second := proveShort(t, options{driver: run.Reference, statements: 1, length: 50, only: 3, most: 1, seed: 2})
	require.Equal(t, first, second)
}
