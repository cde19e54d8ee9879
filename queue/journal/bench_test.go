package journal_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/queue/journal"
)

func benchmarkJournal(b *testing.B, sync bool) *journal.Journal {
	b.Helper()
	opts := options(nil, sync)
	opts.Path, opts.SegmentBytes = b.TempDir(), 64<<20
	return create(b, opts)
}

func BenchmarkAppendSyncOff(b *testing.B) {
	j := benchmarkJournal(b, false)
	payload, def := make([]byte, 200), &journal.Definition{ID: 1, Text: []byte("{}")}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if err := j.Append(journal.LSN(i+1), payload, def); err != nil {
			b.Fatal(err)
		}
		if i%100_000 == 0 {
			require.NoError(b, j.Trim(journal.LSN(i)))
		}
	}
}

func BenchmarkGroupCommit(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprint("goroutines=", writers), func(b *testing.B) {
			j := benchmarkJournal(b, true)
			payload := make([]byte, 200)
			var commit sync.Mutex
			var next journal.LSN
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			b.ResetTimer()
			for range writers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						commit.Lock()
						next++
						lsn := next
						err := j.Append(lsn, payload)
						commit.Unlock()
						if err == nil {
							err = j.Wait(lsn)
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "groups/s")
		})
	}
}

// BenchmarkReplay recovers and reads 200,000 groups of 200 bytes.
func BenchmarkReplay(b *testing.B) {
	const groups = 200_000
	opts := options(nil, false)
	opts.Path, opts.SegmentBytes = b.TempDir(), 64<<20
	j := create(b, opts)
	payload := make([]byte, 200)
	for lsn := journal.LSN(1); lsn <= groups; lsn++ {
		require.NoError(b, j.Append(lsn, payload))
	}
	require.NoError(b, j.Close())
	b.ResetTimer()
	for range b.N {
		j := adopt(b, opts)
		n := 0
		require.NoError(b, j.Replay(1, func(journal.Record) error { n++; return nil }))
		require.Equal(b, groups, n)
		require.NoError(b, j.Close())
	}
	b.ReportMetric(float64(b.N)*groups/b.Elapsed().Seconds(), "groups/s")
}
