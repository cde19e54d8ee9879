package pgtest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConnectionStringsReadBack(t *testing.T) {
	t.Parallel()
	s := &Server{base: map[string]string{
		"host": "127.0.0.1", "port": "5433", "user": "a user", "password": `it's \ "odd" @:/?&`, "sslmode": "disable",
	}}
	want := map[string]string{
		"host": "127.0.0.1", "port": "5433", "user": "other", "password": `it's \ "odd" @:/?&`, "sslmode": "disable",
		"dbname": "some db", "writebehind.tables": "a,b", "options": "-c work_mem=1MB -c x=''",
	}
	params := []string{"user=other", "writebehind.tables=a,b", "options=-c work_mem=1MB -c x=''"}
	for form, dsn := range map[string]string{
		"key=value": s.DSN("some db", params...),
		"URL":       s.URL("some db", params...),
	} {
		got, err := parseDSN(dsn)
		require.NoError(t, err, form)
		require.Equal(t, want, got, form)
	}
	require.Equal(t, 5433, s.Port())
}

func TestSocketDirectoryInURL(t *testing.T) {
	t.Parallel()
	s := &Server{base: map[string]string{"host": "/tmp/x", "port": "5433", "user": "u"}}
	require.Equal(t, "postgres://u@/db?host=%2Ftmp%2Fx&port=5433", s.URL("db"))
}

func TestParseDSN(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]map[string]string{
		"":                               {},
		" host = h  port=1 ":             {"host": "h", "port": "1"},
		`password='a b\'c\\' user=x`:     {"password": `a b'c\`, "user": "x"},
		`user=a\ b password=''`:          {"user": "a b", "password": ""},
		"postgresql://u:p@h:1/d?a=b%20c": {"user": "u", "password": "p", "host": "h", "port": "1", "dbname": "d", "a": "b c"},
		"postgres:///d":                  {"dbname": "d"},
	} {
		got, err := parseDSN(dsn)
		require.NoError(t, err, dsn)
		require.Equal(t, want, got, dsn)
	}
	for _, dsn := range []string{"host", "password='open", "postgres://u:secret@h:port/"} {
		_, err := parseDSN(dsn)
		require.Error(t, err, dsn)
		require.NotContains(t, err.Error(), "secret")
	}
}
