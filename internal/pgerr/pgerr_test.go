package pgerr

import (
	"errors"
	"fmt"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

func TestReadsErrorsOfTheServer(t *testing.T) {
	refused := fmt.Errorf("flush: %w", &pq.Error{Code: "23505", Message: `Key (email)=(a@b.c) exists`})
	require.Equal(t, "23505", State(refused))
	require.Equal(t, "23", Class(refused))
	require.False(t, StaleSchema(refused))
	require.True(t, StaleSchema(&pq.Error{Code: "42703"}))
	require.True(t, StaleSchema(&pq.Error{Code: "0A000"}))
	require.Equal(t, "SQLSTATE 23505", ForLog(refused))
	require.Contains(t, ForLog(&pq.Error{Code: "42703", Message: "no column n"}), "no column n")
}

func TestOtherErrorsHaveNoState(t *testing.T) {
	err := errors.New("connection refused")
	require.Empty(t, State(err))
	require.Empty(t, Class(err))
	require.Equal(t, "connection refused", ForLog(err))
	require.Empty(t, ForLog(nil))
}
