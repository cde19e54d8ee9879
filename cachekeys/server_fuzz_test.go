package cachekeys

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"testing"
	"time"

	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/pgvalue"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// FuzzKey checks that the keys of two rows are equal exactly if PostgreSQL takes the
// values of their key, given as text, for equal.
func FuzzKey(f *testing.F) {
	server := pgtest.SharedByWorkers(f)
	db, err := sql.Open("postgres", server.DSN(server.CreateDatabase(f), "timezone=UTC"))
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, db.Close()) })
	db.SetMaxOpenConns(1)
	names := []struct {
		oid  oid.Oid
		name string
	}{
		{oid.T_bool, "bool"}, {oid.T_int2, "int2"}, {oid.T_int4, "int4"}, {oid.T_int8, "int8"}, {oid.T_text, "text"}, {oid.T_varchar, "varchar"},
		{oid.T_bytea, "bytea"}, {oid.T_uuid, "uuid"}, {oid.T_date, "date"}, {oid.T_timestamp, "timestamp"}, {oid.T_timestamptz, "timestamptz"},
	}
	prepared := make(map[string]*sql.Stmt)
	same := func(t *testing.T, first, second string, values ...any) (equal bool) {
		t.Helper()
		query := "SELECT $1::" + first + " = $3::" + first + " AND $2::" + second + " = $4::" + second
		stmt := prepared[query]
		if stmt == nil {
			stmt, err = db.Prepare(query)
			require.NoError(t, err)
			prepared[query] = stmt
		}
		require.NoError(t, stmt.QueryRow(values...).Scan(&equal))
		return equal
	}
	seeds := [][2]string{
		{"1", "01"}, {"-0", "0"}, {"t", "true"}, {"f", "no"}, {"a", "a "}, {"", "a"}, {`\x61`, "a"}, {"2024-02-29", "2024-02-29 00:00:00"},
		{"2024-02-29 12:00:00Z", "2024-02-29 14:00:00+02"}, {"2024-02-29 12:00:00.1234565", "2024-02-29 12:00:00.123456"},
		{"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6BA7B8109DAD11D180B400C04FD430C8"}, {"é", "e\u0301"},
	}
	for i, a := range seeds {
		for k := range names {
			f.Add(uint8(k), uint8(i), a[0], "a", a[1], "a")
			f.Add(uint8(i), uint8(k), "1", a[0], "1", a[1])
		}
	}
	session := pgvalue.Session{UTF8: true, Location: time.UTC}
	f.Fuzz(func(t *testing.T, first, second uint8, a1, a2, b1, b2 string) {
		x, y := names[int(first)%len(names)], names[int(second)%len(names)]
		r := table(7, []oid.Oid{y.oid, x.oid}) // in the order of the columns; the key is the other way round
		key := func(values ...driver.Value) ([]byte, bool) {
			for i, v := range values {
				var ok bool
				if values[i], ok = r.Columns[r.Key[i]].Type.Compare(session, v); !ok {
					return nil, false
				}
			}
			return Append(nil, r, values)
		}
		a, ok := key(a1, a2)
		if !ok {
			return
		}
		b, ok := key(b1, b2)
		if !ok {
			return
		}
		require.Equal(t, same(t, x.name, y.name, a1, a2, b1, b2), bytes.Equal(a, b), "%s %q, %s %q and %q, %q", x.name, a1, y.name, a2, b1, b2)
	})
}
