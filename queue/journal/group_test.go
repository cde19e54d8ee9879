package journal_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/queue/journal"
	"github.com/writebehind/writebehind/queue/journal/journaltest"
)

func TestManyWritersShareSyncs(t *testing.T) {
	for _, synced := range modes {
		t.Run(fmt.Sprint("sync=", synced), func(t *testing.T) {
			disk := journaltest.NewDisk()
			faults := journaltest.NewFaults(disk)
			opts := options(faults, synced)
			opts.SegmentBytes = 64 << 10
			j := create(t, opts)
			heard := listen(j)
			const writers, each = 32, 50
			var (
				commit sync.Mutex
				next   journal.LSN
				wg     sync.WaitGroup
			)
			for range writers {
				wg.Go(func() {
					for range each {
						commit.Lock()
						next++
						lsn := next
						err := j.Append(lsn, payloadOf(lsn), definitionOf(lsn))
						commit.Unlock()
						if err == nil {
							err = j.Wait(lsn)
						}
						if err != nil || j.Durable() < lsn {
							t.Errorf("group %d: %v", lsn, err)
							return
						}
						if lsn%100 == 0 {
							if err := j.Trim(lsn / 2); err != nil {
								t.Error(err)
							}
							_ = j.Full()
						}
					}
				})
			}
			wg.Wait()
			require.Equal(t, journal.LSN(writers*each), j.Durable())
			require.IsIncreasing(t, heard.durable)
			require.Empty(t, heard.failed)
			if synced {
				require.Less(t, faults.Seen(journaltest.OpSync), writers*each)
			}
			first := j.Checkpoint() + 1
			verify(t, j, first, writers*each)
			verify(t, adopt(t, options(disk.IfKilled(), synced)), first, writers*each)
		})
	}
}

// An LSN of a group that is gone is given out again; who waits for the first one
// must not be told about the second.
func TestWaiterIsNotToldAboutAnotherGroup(t *testing.T) {
	faults := journaltest.NewFaults(journaltest.NewDisk())
	j := create(t, options(faults, true))
	awaitPrepared(t, faults)
	var commit sync.Mutex
	next := journal.LSN(1)
	var lost sync.Map // by group
	j.OnFailed(func(durable journal.LSN, _ error) {
		commit.Lock()
		defer commit.Unlock()
		next = durable + 1
	})
	var wg sync.WaitGroup
	var acked, failed atomic.Int64
	for w := range 16 {
		wg.Go(func() {
			waits, armed := 0, 0
			for i := range 60 {
				// Not before the last failure is over, or what it erases fails, too: who
				// has waited since knows that it is.
				if w == 0 && waits%10 == 5 && waits > armed {
					armed = waits
					faults.FailFile(journaltest.OpWrite, notPreparing(1), syscall.EIO)
				}
				commit.Lock()
				lsn := next
				err := j.Append(lsn, payloadOf(lsn), definitionOf(lsn))
				if err == nil {
					next++
				}
				commit.Unlock()
				if err != nil {
					continue // somebody's failure is about to be told
				}
				err = j.Wait(lsn)
				waits++
				if err != nil {
					failed.Add(1)
					lost.Store([2]int{w, i}, true)
					continue
				}
				acked.Add(1)
			}
		})
	}
	wg.Wait()
	require.NoError(t, j.Err())
	require.Positive(t, failed.Load())
	verify(t, j, 1, j.Durable())
	require.LessOrEqual(t, j.Durable(), uint64(acked.Load()+failed.Load()))
}

// Callbacks may take the locks that the caller of Append holds, and a journal can
// be replayed and trimmed meanwhile.
func TestReplayBesideAppend(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			j := create(t, options(journaltest.NewDisk(), sync))
			done := make(chan struct{})
			go func() {
				defer close(done)
				for lsn := journal.LSN(1); lsn <= 500; lsn++ {
					if j.Append(lsn, payloadOf(lsn), definitionOf(lsn)) != nil || j.Wait(lsn) != nil {
						t.Error("append")
					}
				}
			}()
			for running := true; running; {
				select {
				case <-done:
					running = false
				default:
				}
				next := journal.LSN(1)
				require.NoError(t, j.Replay(1, func(r journal.Record) error {
					require.Equal(t, next, r.LSN)
					require.Equal(t, payloadOf(next), r.Payload)
					next++
					return nil
				}))
			}
			verify(t, j, 1, 500)
		})
	}
}
