package linear

import (
	"database/sql"
	"database/sql/driver"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/prove/faulty"
)

var (
	rounds = flag.Int("rounds", 4, "number of loads, each with other settings")
	steps  = flag.Int("steps", 120, "statements of each goroutine of a load")
	seed   = flag.Uint64("seed", 0, "seed of loads and settings; 0: from the clock")
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// load returns a load on a new database, for a driver with parameters.
func load(t *testing.T, driver, params string, seed uint64, steps int) *Load {
	t.Helper()
	server := pgtest.Shared(t)
	dsn := server.DSN(server.CreateDatabase(t))
	open := func(driver, dsn string) *sql.DB {
		db, err := sql.Open(driver, dsn)
		require.NoError(t, err)
		db.SetMaxIdleConns(20)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		return db
	}
	past := open("postgres", dsn)
	_, err := past.ExecContext(t.Context(), Schema)
	require.NoError(t, err)
	return &Load{DB: open(driver, dsn+params), Past: past, Seed: seed, Steps: steps}
}

// settings returns parameters of the shim that a seed chooses.
func settings(t *testing.T, random *rand.Rand) string {
	t.Helper()
	one := func(list ...string) string { return list[random.IntN(len(list))] }
	journal := "none"
	params := ""
	if random.IntN(4) > 0 {
		journal = t.TempDir()
		params = " writebehind.sync=" + one("on", "off", "off")
	}
	return " writebehind.tables=* writebehind.journal=" + journal + params +
		" writebehind.cache_size=" + one("0", "1MB", "64MB") +
		" writebehind.max_delay=" + one("1ms", "5ms", "100ms", "1h") +
		" writebehind.batch_rows=" + one("1", "7", "5000") +
		" writebehind.transactions=" + one("buffer", "buffer", "direct")
}

func TestHistoriesThroughTheShim(t *testing.T) {
	start := *seed
	if start == 0 {
		start = uint64(time.Now().UnixNano())
	}
	var total Report
	var deferred, buffered uint64
	for round := range *rounds {
		random := rand.New(rand.NewPCG(start, uint64(round)))
		params := settings(t, random)
		l := load(t, "writebehind", params, random.Uint64(), *steps)
		report, err := l.Run(t.Context())
		require.NoError(t, err, "seed %d round %d%s", start, round, params)
		require.Empty(t, report.Violations, "seed %d round %d%s", start, round, params)
		stats, err := writebehind.Stats(l.DB)
		require.NoError(t, err)
		deferred += stats.Deferred
		buffered += stats.Buffered
		total.Operations += report.Operations
		total.Samples += report.Samples
		total.Undecided += report.Undecided
		require.NoError(t, l.DB.Close())
	}
	fmt.Printf("linear: seed %d rounds %d operations %d deferred %d buffered %d snapshots %d undecided %d violations 0\n",
		start, *rounds, total.Operations, deferred, buffered, total.Samples, total.Undecided)
	require.NotZero(t, deferred)
}

// TestPlainDriverHasNoViolation shows that what is checked is PostgreSQL's way.
func TestPlainDriverHasNoViolation(t *testing.T) {
	l := load(t, "postgres", "", 1, *steps)
	report, err := l.Run(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Violations)
}

// registered counts the drivers: a name can be registered once in a process.
var registered atomic.Int64

// TestEachCheckCanFail plants one mistake for each check.
func TestEachCheckCanFail(t *testing.T) {
	var mu sync.Mutex
	nth := map[string]int{}
	// every is true for every nth call.
	every := func(n int, what string) bool {
		mu.Lock()
		defer mu.Unlock()
		nth[what]++
		return nth[what]%n == 0
	}
	lost := func(n int, statement string) faulty.Fault {
		return faulty.Fault{Exec: func(q string, args []driver.NamedValue, next faulty.Exec) (driver.Result, error) {
			if strings.HasPrefix(q, statement) && every(n, statement) {
				return driver.RowsAffected(1), nil
			}
			return next(q, args)
		}}
	}
	var stale driver.Value
	for check, fault := range map[string]faulty.Fault{
		"registers": lost(5, "INSERT INTO registers"),
		"pairs":     lost(3, "UPDATE pairs SET v = $1 WHERE id = 2"),
		"counts":    lost(9, "UPDATE counts SET n = n + 1"),
		"prefix":    lost(4, "UPDATE mark_b"),
		"own writes": {Row: func(q string, row []driver.Value) {
			if strings.HasPrefix(q, "SELECT seq FROM mark_a") {
				mu.Lock()
				defer mu.Unlock()
				row[0], stale = stale, row[0]
				if row[0] == nil {
					row[0] = int64(0)
				}
			}
		}},
		"registers: stale": {Row: func(q string, row []driver.Value) {
			if strings.HasPrefix(q, "SELECT v FROM registers") && every(5, q) {
				row[0] = int64(3)
			}
		}},
		"counts: twice": {Exec: func(q string, args []driver.NamedValue, next faulty.Exec) (driver.Result, error) {
			result, err := next(q, args)
			if err == nil && strings.HasPrefix(q, "UPDATE counts SET n = $1") {
				return driver.RowsAffected(1), nil // as if the version were still that
			}
			return result, err
		}},
		// The writes of one goroutine no longer arrive, those of the others do.
		"prefix: order": {Exec: func(q string, args []driver.NamedValue, next faulty.Exec) (driver.Result, error) {
			if strings.HasPrefix(q, "UPDATE mark_") && args[0].Value == int64(1) && args[1].Value.(int64) > 5 {
				return driver.RowsAffected(1), nil
			}
			return next(q, args)
		}},
	} {
		t.Run(check, func(t *testing.T) {
			driver := fmt.Sprintf("%s %d", t.Name(), registered.Add(1))
			faulty.Register(driver, fault)
			name, _, _ := strings.Cut(check, ":")
			// Who meets whom is chance, so it may take more than one load.
			for seed := range uint64(5) {
				report, err := load(t, driver, "", seed, *steps).Run(t.Context())
				require.NoError(t, err)
				if strings.Contains(strings.Join(report.Violations, "\n"), name+": ") {
					return
				}
			}
			t.Errorf("%s has found nothing", name)
		})
	}
}
