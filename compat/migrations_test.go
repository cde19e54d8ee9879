package compat

import (
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

// TestMigrationsAtStart: goose makes the tables through the shim, which defers on
// them at once.
func TestMigrationsAtStart(t *testing.T) {
	server := database(t)
	db := open(t, "writebehind", behind(t, server))
	files := fstest.MapFS{
		"1_first.sql": {Data: []byte("-- +goose Up\nCREATE TABLE visits (id bigint PRIMARY KEY, n int NOT NULL);\n-- +goose Down\nDROP TABLE visits;\n")},
		"2_more.sql":  {Data: []byte("-- +goose Up\nALTER TABLE visits ADD COLUMN page text NOT NULL DEFAULT '/';\nINSERT INTO visits VALUES (1, 0);\n-- +goose Down\nALTER TABLE visits DROP COLUMN page;\n")},
		"3_fails.sql": {Data: []byte("-- +goose Up\nUPDATE visits SET n = 5 WHERE id = 1;\nALTER TABLE visits ADD COLUMN page text;\n")},
	}
	migrations, err := goose.NewProvider(goose.DialectPostgres, db, files)
	require.NoError(t, err)
	done, err := migrations.UpTo(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, done, 2)

	before, err := writebehind.Stats(db)
	require.NoError(t, err)
	_, err = db.Exec("UPDATE visits SET n = n + 1 WHERE id = 1")
	require.NoError(t, err)
	after, err := writebehind.Stats(db)
	require.NoError(t, err)
	require.Equal(t, before.Deferred+1, after.Deferred)

	_, err = migrations.Up(t.Context())
	require.ErrorContains(t, err, `column "page" of relation "visits" already exists`)
	var n int
	var page string
	require.NoError(t, db.QueryRow("SELECT n, page FROM visits WHERE id = 1").Scan(&n, &page))
	require.Equal(t, 1, n, "the migration that failed has changed nothing")
	require.Equal(t, "/", page)

	_, err = migrations.DownTo(t.Context(), 0)
	require.NoError(t, err)
	_, err = db.Exec("UPDATE visits SET n = n + 1 WHERE id = 1")
	require.ErrorContains(t, err, `relation "visits" does not exist`)
	version, err := migrations.GetDBVersion(t.Context())
	require.NoError(t, err)
	require.Zero(t, version)
}
