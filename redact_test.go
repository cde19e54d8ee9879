package writebehind

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNoPasswordInErrorsAboutTheDSN(t *testing.T) {
	for _, dsn := range []string{
		"postgres://app:s3cr3t@host:port/db",
		"postgres://app:s3cr3t@[::1/db",
		"postgres://app:s3%zzcr3t@host/db?x=y",
		"host=localhost password='s3cr3t \\' more' user",
		"host=localhost password=s3cr3t sslmode=nonsense",
		"password = s3cr3t user=app bad",
		"postgres:///db?password=s3cr3t&port=port",
		"postgres://app:s3/cr3t@host/db",
		"postgres://app:s3?cr3t@host/db",
		"postgres://app:s3\\\"cr3t@host:port/db",
	} {
		b, err := newBackend("postgres", dsn)
		require.NoError(t, err)
		_, err = b.dial(t.Context())
		require.Error(t, err, dsn)
		require.NotContains(t, err.Error(), "cr3t", dsn)
	}
}
