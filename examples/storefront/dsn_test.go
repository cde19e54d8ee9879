package main

import (
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

// What we add has to arrive in either form as the driver reads it.
func TestParametersAreAddedToBothFormsOfDSN(t *testing.T) {
	for _, dsn := range []string{
		"host=db.example port=5433 user=u password='p w' dbname=shop search_path=public",
		"postgres://u:p%20w@db.example:5433/shop?search_path=public",
	} {
		got, err := withParams(dsn, param{"search_path", "mine"}, param{"writebehind.journal", `/a b/it's\`})
		require.NoError(t, err)
		c, err := pq.NewConfig(got)
		require.NoError(t, err)
		require.Equal(t, "db.example", c.Host)
		require.EqualValues(t, 5433, c.Port)
		require.Equal(t, "p w", c.Password)
		require.Equal(t, "shop", c.Database)
		require.Equal(t, "mine", c.Runtime["search_path"])
		require.Equal(t, `/a b/it's\`, c.Runtime["writebehind.journal"])
	}
}

func TestMalformedDSNIsNotShown(t *testing.T) {
	_, err := withParams("postgres://u:secret@host:port/")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
}
