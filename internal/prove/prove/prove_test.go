package prove_test

import (
	"testing"
	"time"

	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/prove/prove"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestReplay is a test as the command prints it, for the plain driver.
func TestReplay(t *testing.T) {
	prove.ReplayDriver(t, "postgres", prove.History{
		Settings: prove.Settings{MaxDelay: 5 * time.Millisecond, TimeZone: "Asia/Kathmandu", URL: true},
		Schema: []string{
			`CREATE TABLE t (
  id int8,
  at timestamptz DEFAULT now(),
  PRIMARY KEY (id)
)`,
		},
		Statements: []prove.Statement{
			{Call: prove.Begin},
			{SQL: "INSERT INTO t VALUES ($1, $2)", Args: []any{prove.To(int64(1)), time.Date(2001, 2, 3, 4, 5, 6, 7, prove.Zone("Europe/Berlin"))}},
			{Call: prove.Commit},
			{Conn: 1, SQL: "BEGIN"},
			{Conn: 1, Call: prove.Query, SQL: "SELECT * FROM t WHERE id = 1 FOR UPDATE"},
			{SQL: "UPDATE t SET at = NULL WHERE id = 1"},
			{Conn: 1, SQL: "COMMIT"},
			{Call: prove.Query, SQL: "SELECT * FROM t", Prepared: prove.Kept, Unordered: true},
		},
	})
}
