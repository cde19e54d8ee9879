package pgvalue_test

import (
	"database/sql/driver"
	"testing"
	"time"

	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

func TestFormsOfADriver(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	session := pgvalue.Session{Location: berlin, UTF8: true}
	nameless := time.FixedZone("", 0)
	at := time.Date(2024, 7, 31, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name                string
		of                  oid.Oid
		canonical, returned driver.Value
		other, strange      driver.Value // a value of the same form, and one that is not; nil for none
	}{
		{"as lib/pq", oid.T_int4, int64(1), int64(1), nil, nil},
		{"bytes", oid.T_uuid, []byte("a"), []byte("a"), nil, nil},
		{"text for bytes", oid.T_numeric, []byte("1.50"), "1.50", "2", []byte("2")},
		{"date in UTC", oid.T_date, at.In(nameless), at, at.AddDate(1, 0, 0), "infinity"},
		{"timestamp without a name", oid.T_timestamp, at.In(nameless), at.In(nameless), nil, nil},
		{"instant of the session", oid.T_timestamptz, at.In(berlin), at.In(berlin), nil, nil},
		{"instant of the program", oid.T_timestamptz, at.In(berlin), at.In(time.Local), at.In(time.Local).Add(1), at},
		{"instant in UTC", oid.T_timestamptz, at.In(berlin), at, at.Add(1), at.In(nameless)},
	} {
		form, ok := base(c.of, -1).FormOf(session, c.canonical, c.returned)
		require.True(t, ok, c.name)
		got, ok := form.Canonical(c.returned)
		require.True(t, ok, c.name)
		require.Equal(t, c.canonical, got, c.name)
		require.Equal(t, c.returned, form.Returned(c.canonical), c.name)
		if c.other != nil {
			got, ok := form.Canonical(c.other)
			require.True(t, ok, c.name)
			require.Equal(t, c.other, form.Returned(got), c.name)
			_, ok = form.Canonical(c.strange)
			require.False(t, ok, c.name)
		}
		null, ok := form.Canonical(nil)
		require.True(t, ok)
		require.Nil(t, null)
		require.Nil(t, form.Returned(nil))
	}
	for _, c := range []struct {
		of                  oid.Oid
		canonical, returned driver.Value
	}{
		{oid.T_int4, int64(1), "1"},
		{oid.T_float4, 1.1, float64(float32(1.1))},
		{oid.T_numeric, []byte("1.50"), 1.5},
		{oid.T_numeric, []byte("1.50"), "1.5"},
		{oid.T_bytea, []byte("a"), "a"},
		{oid.T_date, at.In(nameless), at.In(time.FixedZone("X", 0))},
		{oid.T_timestamp, at.In(nameless), at.Add(time.Hour)},
		{oid.T_timestamptz, at.In(berlin), at.In(nameless)},
		{oid.T_jsonb, nil, []byte("{}")},
	} {
		_, ok := base(c.of, -1).FormOf(session, c.canonical, c.returned)
		require.False(t, ok, "%d %v", c.of, c.returned)
	}
}
