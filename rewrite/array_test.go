package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArrayQuotesWhatNeedsIt(t *testing.T) {
	var a Array
	require.Equal(t, "{}", string(a.Bytes()))
	a.Append([]byte("1"))
	require.Equal(t, "{1}", string(a.Bytes()))
	a.AppendNull()
	for _, text := range []string{"", "null", "NULL", "nulls", "a b", `a"b\c`, "{a,b}", "é", "-1.5e+3", "2024-01-01 00:00:00+00", "\t", "x'y"} {
		a.AppendString(text)
	}
	require.Equal(t, `{1,NULL,"","null","NULL",nulls,"a b","a\"b\\c","{a,b}","é",-1.5e+3,"2024-01-01 00:00:00+00","	","x'y"}`,
		string(a.Bytes()))
	require.Equal(t, 14, a.Len())
}

func TestArrayCanBeReadInBetweenAndUsedAgain(t *testing.T) {
	var a Array
	a.AppendNull()
	require.Equal(t, "{NULL}", string(a.Bytes()))
	require.Equal(t, "{NULL}", string(a.Bytes()))
	a.AppendString("b")
	require.Equal(t, "{NULL,b}", string(a.Bytes()))
	a.Reset()
	require.Equal(t, 0, a.Len())
	require.Equal(t, "{}", string(a.Bytes()))
	a.Append([]byte("c"))
	require.Equal(t, "{c}", string(a.Bytes()))
}

func TestArrayReusesItsMemory(t *testing.T) {
	var a Array
	element := []byte(`a "quoted" one`)
	fill := func() {
		a.Reset()
		for range 100 {
			a.Append(element)
			a.AppendString("plain")
			a.AppendNull()
		}
		_ = a.Bytes()
	}
	fill()
	require.Zero(t, testing.AllocsPerRun(10, fill))
}
