package compat

import (
	"context"
	"database/sql"
	"testing"

	"github.com/XSAM/otelsql"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/writebehind/writebehind"
)

func init() { sql.Register("postgres-traced", otelsql.WrapDriver(&pq.Driver{})) }

// TestTracing: otelsql around the shim, and the shim around lib/pq in otelsql. The
// program is the same, and so is what comes of it.
func TestTracing(t *testing.T) {
	lib := library{name: "sqlc", open: openSQLC(false)}
	want := shopping(t, lib, "postgres", database(t), false)

	t.Run("otelsql around writebehind", func(t *testing.T) {
		name, err := otelsql.Register("writebehind")
		require.NoError(t, err)
		require.Equal(t, want, shopping(t, lib, name, database(t), true))
	})
	t.Run("writebehind around otelsql", func(t *testing.T) {
		around := library{name: "sqlc", open: func(t *testing.T, driver, dsn string, tr *trace) shop {
			t.Helper()
			return openSQLC(false)(t, driver, dsn+" writebehind.driver=postgres-traced", tr)
		}}
		require.Equal(t, want, shopping(t, around, "writebehind", database(t), true))
	})
}

// TestNamesOfTheDriver: sqlx knows how parameters are written by the driver's name.
func TestNamesOfTheDriver(t *testing.T) {
	require.Equal(t, sqlx.UNKNOWN, sqlx.BindType("writebehind"))
	require.Equal(t, sqlx.UNKNOWN, sqlx.BindType("postgres-writebehind"))
	t.Cleanup(func() { sqlx.BindDriver("writebehind", sqlx.UNKNOWN) })
	sqlx.BindDriver("writebehind", sqlx.DOLLAR)

	db, err := sqlx.Open("writebehind", behind(t, database(t)))
	require.NoError(t, err)
	defer db.Close()
	require.Equal(t, "SELECT $1", db.Rebind("SELECT ?"))
	var n int
	require.NoError(t, db.Get(&n, db.Rebind("SELECT ?::int"), 1))
	require.Equal(t, 1, n)
}

// TestGORMOnAPool: GORM takes a pool that is open already.
func TestGORMOnAPool(t *testing.T) {
	pool := open(t, "writebehind", behind(t, database(t)))
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{})
	require.NoError(t, err)
	c := Customer{Email: "ada@example.com", Name: "Ada"}
	require.NoError(t, db.Create(&c).Error)
	require.NoError(t, db.Model(&c).Update("name", "Ada L.").Error)
	require.NoError(t, db.First(&c, c.ID).Error)
	require.Equal(t, "Ada L.", c.Name)
	require.NoError(t, writebehind.Flush(context.Background(), pool))
}
