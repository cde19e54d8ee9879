package journal_test

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/queue/journal"
	"github.com/writebehind/writebehind/queue/journal/journaltest"
)

// told is what a journal tells its queue.
type told struct {
	mu      sync.Mutex
	durable []journal.LSN
	failed  []journal.LSN
	err     error
}

func listen(j *journal.Journal) *told {
	l := &told{}
	j.OnDurable(func(lsn journal.LSN) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.durable = append(l.durable, lsn)
	})
	j.OnFailed(func(lsn journal.LSN, err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.failed, l.err = append(l.failed, lsn), err
	})
	return l
}

func TestFailedWriteFailsWhatIsInFlightAndNoMore(t *testing.T) {
	disk := journaltest.NewDisk()
	faults := journaltest.NewFaults(disk)
	j := create(t, options(faults, true))
	heard := listen(j)
	awaitPrepared(t, faults)
	add(t, j, 1, 3)
	for lsn := journal.LSN(4); lsn <= 6; lsn++ {
		require.NoError(t, j.Append(lsn, payloadOf(lsn+100), definitionOf(lsn)))
	}
	faults.Fail(journaltest.OpWrite, 1, syscall.EIO)
	require.ErrorIs(t, j.Wait(6), syscall.EIO)
	require.ErrorContains(t, j.Wait(5), ".segment")
	require.NoError(t, j.Wait(3))
	require.Equal(t, []journal.LSN{3}, heard.failed)
	require.ErrorIs(t, heard.err, syscall.EIO)
	require.NoError(t, j.Err())
	require.Error(t, j.Append(7, nil), "the LSNs of what is gone are given out again")

	// Nothing is left of it, whatever comes next.
	verify(t, adopt(t, options(disk.IfKilled(), true)), 1, 3)
	verify(t, adopt(t, options(disk.IfCrashed(1), true)), 1, 3)
	add(t, j, 4, 60)
	verify(t, adopt(t, options(disk.IfCrashed(1), true)), 1, 60)
}

// awaitPrepared waits for the segment after the first one, so that what is counted
// next is the journal's own.
func awaitPrepared(t *testing.T, faults *journaltest.Faults) {
	t.Helper()
	require.Eventually(t, func() bool {
		return faults.Seen(journaltest.OpRename) >= 4 // two meta files, two segments
	}, waitLimit, waitTick)
	require.Eventually(t, func() bool { return faults.Seen(journaltest.OpOpen) >= 3 }, waitLimit, waitTick)
}

// A batch goes over several segments; what failed may be in any of them.
func TestFailedWriteAnywhereInALongBatch(t *testing.T) {
	for _, op := range []journaltest.Op{journaltest.OpWrite, journaltest.OpSync} {
		failures := 0
		for nth := 1; nth < 20; nth++ {
			disk := journaltest.NewDisk()
			faults := journaltest.NewFaults(disk)
			j := create(t, options(faults, true))
			heard := listen(j)
			// Preparing must succeed, or it would take the failure.
			for lsn := journal.LSN(1); lsn <= 100; lsn++ {
				require.NoError(t, j.Append(lsn, payloadOf(lsn), definitionOf(lsn)))
			}
			prepared := len(files(t, disk, j, ".segment"))
			require.Greater(t, prepared, 3)
			faults.FailFile(op, notPreparing(nth), syscall.EIO)
			err := j.Wait(100)
			faults.Heal()
			durable := j.Durable()
			if err == nil {
				require.Equal(t, journal.LSN(100), durable)
				require.Empty(t, heard.failed)
			} else {
				failures++
				require.ErrorIs(t, err, syscall.EIO)
				require.Equal(t, []journal.LSN{durable}, heard.failed)
				require.Less(t, durable, journal.LSN(100))
			}
			verify(t, j, 1, durable)
			verify(t, adopt(t, options(disk.IfCrashed(uint64(nth)), true)), 1, durable)
			if op == journaltest.OpSync && err != nil {
				require.ErrorIs(t, j.Err(), syscall.EIO)
				require.ErrorIs(t, j.Append(durable+1, nil), syscall.EIO)
				continue
			}
			require.NoError(t, j.Err())
			add(t, j, durable+1, durable+100)
			verify(t, j, 1, durable+100)
			verify(t, adopt(t, options(disk.IfKilled(), true)), 1, durable+100)
			verify(t, adopt(t, options(disk.IfCrashed(uint64(nth)), true)), 1, durable+100)
		}
		require.Greater(t, failures, 2)
	}
}

// notPreparing matches the nth use of a segment file, and not those that are being
// prepared.
func notPreparing(nth int) func(string) bool {
	return func(name string) bool {
		if !strings.HasSuffix(name, ".segment") {
			return false
		}
		nth--
		return nth == 0
	}
}

func TestFailedSyncIsTheEnd(t *testing.T) {
	disk := journaltest.NewDisk()
	faults := journaltest.NewFaults(disk)
	j := create(t, options(faults, true))
	heard := listen(j)
	awaitPrepared(t, faults)
	add(t, j, 1, 3)
	require.NoError(t, j.Append(4, payloadOf(4)))
	faults.Fail(journaltest.OpSync, 1, syscall.EIO)
	require.ErrorIs(t, j.Wait(4), syscall.EIO)
	require.ErrorIs(t, j.Err(), syscall.EIO)
	require.Equal(t, []journal.LSN{3}, heard.failed)
	// The next sync would succeed, and say nothing about what the first one lost.
	require.ErrorIs(t, j.Append(4, nil), syscall.EIO)
	require.ErrorIs(t, j.Wait(4), syscall.EIO)
	require.NoError(t, j.Wait(3))
	require.ErrorIs(t, j.Close(), syscall.EIO)
	verify(t, adopt(t, options(disk.IfKilled(), true)), 1, 3)
}

func TestWhatCannotBeErasedIsTheEnd(t *testing.T) {
	faults := journaltest.NewFaults(journaltest.NewDisk())
	j := create(t, options(faults, true))
	awaitPrepared(t, faults)
	add(t, j, 1, 3)
	require.NoError(t, j.Append(4, payloadOf(4)))
	faults.FailFrom(journaltest.OpWrite, 1, syscall.EIO)
	require.ErrorIs(t, j.Wait(4), syscall.EIO)
	require.ErrorIs(t, j.Err(), syscall.EIO)
	require.ErrorIs(t, j.Append(4, nil), syscall.EIO)
}

// The marker after a sync that cannot be written takes nothing back.
func TestFailedMarkerFailsNobody(t *testing.T) {
	disk := journaltest.NewDisk()
	faults := journaltest.NewFaults(disk)
	j := create(t, options(faults, true))
	heard := listen(j)
	awaitPrepared(t, faults)
	require.NoError(t, j.Append(1, payloadOf(1), definitionOf(1)))
	faults.Fail(journaltest.OpWrite, 2, syscall.EIO)
	require.NoError(t, j.Wait(1))
	require.Empty(t, heard.failed)
	require.NoError(t, j.Err())
	add(t, j, 2, 10)
	verify(t, adopt(t, options(disk.IfKilled(), true)), 1, 10)
}

func TestFullDiskRefusesTheGroupThatDoesNotFit(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			disk := journaltest.NewDisk()
			faults := journaltest.NewFaults(disk)
			j := create(t, options(faults, sync))
			faults.LimitSpace(10_000)
			var err error
			lsn := journal.LSN(1)
			for ; ; lsn++ {
				if err = j.Append(lsn, payloadOf(lsn), definitionOf(lsn)); err != nil {
					break
				}
				require.NoError(t, j.Wait(lsn))
			}
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.ErrorContains(t, err, ".segment")
			require.ErrorIs(t, j.Append(lsn, payloadOf(lsn)), syscall.ENOSPC)
			require.ErrorIs(t, j.Append(lsn, make([]byte, 100_000)), syscall.ENOSPC)
			require.NoError(t, j.Err(), "it goes on once there is room")
			verify(t, j, 1, lsn-1)
			verify(t, adopt(t, options(disk.IfKilled(), sync)), 1, lsn-1)

			faults.Heal()
			add(t, j, lsn, lsn+50)
			verify(t, adopt(t, options(disk.IfKilled(), sync)), 1, lsn+50)
		})
	}
}

func TestWithoutMappingsPlainWritesAreUsed(t *testing.T) {
	disk := journaltest.NewDisk()
	faults := journaltest.NewFaults(disk)
	faults.FailFrom(journaltest.OpMap, 1, journal.ErrNoMap)
	j := create(t, options(faults, false))
	add(t, j, 1, 100)
	verify(t, adopt(t, options(disk.IfKilled(), false)), 1, 100)
	awaitIdle(t, faults)
	faults.Fail(journaltest.OpWrite, 1, syscall.EIO)
	require.ErrorIs(t, j.Append(101, payloadOf(101), definitionOf(101)), syscall.EIO)
	require.NoError(t, j.Err())
	verify(t, adopt(t, options(disk.IfKilled(), false)), 1, 100)
	add(t, j, 101, 150)
	verify(t, adopt(t, options(disk.IfKilled(), false)), 1, 150)
}

// awaitIdle waits until nothing is prepared any more.
func awaitIdle(t *testing.T, faults *journaltest.Faults) {
	t.Helper()
	seen := -1
	require.Eventually(t, func() bool {
		before := seen
		seen = faults.Seen(journaltest.OpOpen) + faults.Seen(journaltest.OpSync)
		return before == seen
	}, waitLimit, 20*waitTick)
}

func TestFailedSyncInTheBackgroundIsTheEnd(t *testing.T) {
	faults := journaltest.NewFaults(journaltest.NewDisk())
	j := create(t, options(faults, false))
	heard := listen(j)
	faults.FailFile(journaltest.OpSync, func(name string) bool { return strings.HasSuffix(name, ".segment") }, syscall.EIO)
	lsn := journal.LSN(1)
	for j.Append(lsn, payloadOf(lsn)) == nil {
		lsn++
	}
	require.ErrorIs(t, j.Err(), syscall.EIO)
	require.ErrorIs(t, j.Close(), syscall.EIO)
	require.Len(t, heard.failed, 1)
}

func TestFailedReadIsAnErrorNotDamage(t *testing.T) {
	disk := journaltest.NewDisk()
	j := create(t, options(disk, true))
	add(t, j, 1, 50)
	disk = disk.Kill()
	for nth := 1; ; nth++ {
		faults := journaltest.NewFaults(disk)
		d, err := journal.Open(options(faults, true))
		require.NoError(t, err)
		faults.Fail(journaltest.OpRead, nth, syscall.EIO)
		found, err := d.Orphans()
		if err == nil {
			require.Greater(t, nth, 3)
			faults.Heal()
			verify(t, found[0], 1, 50)
			return
		}
		require.ErrorIs(t, err, syscall.EIO)
		require.ErrorContains(t, err, path)
	}
}

// Whatever fails while an orphan is started, the next one who tries has it all.
func TestFailedStartLosesNothing(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			for _, op := range []journaltest.Op{
				journaltest.OpWrite, journaltest.OpSync, journaltest.OpRename, journaltest.OpSyncDir,
				journaltest.OpCreate, journaltest.OpOpen, journaltest.OpReadDir,
			} {
				for nth := 1; nth < 15; nth++ {
					disk := journaltest.NewDisk()
					add(t, create(t, options(disk, sync)), 1, 50)
					disk = disk.Kill()
					faults := journaltest.NewFaults(disk)
					j := adopt(t, options(faults, sync))
					faults.Fail(op, nth, syscall.EIO)
					if err := j.Start(51); err == nil {
						break
					}
					require.ErrorIs(t, j.Err(), syscall.EIO)
					require.ErrorIs(t, j.Start(51), syscall.EIO)
					_ = j.Close()
					j = adopt(t, options(faults, sync))
					verify(t, j, 1, 50)
					require.NoError(t, j.Start(51))
					add(t, j, 51, 60)
					verify(t, j, 1, 60)
				}
			}
		})
	}
}

func TestFailedRenameLeavesTheOldMetaFile(t *testing.T) {
	disk := journaltest.NewDisk()
	faults := journaltest.NewFaults(disk)
	j := create(t, options(faults, true))
	add(t, j, 1, 100)
	faults.FailFile(journaltest.OpRename, func(name string) bool { return strings.HasSuffix(name, ".json") }, syscall.EIO)
	require.ErrorIs(t, j.Trim(90), syscall.EIO)
	verify(t, j, 1, 100)
	verify(t, adopt(t, options(disk.IfKilled(), true)), 1, 100)
	faults.Heal()
	require.NoError(t, j.Trim(90))
	verify(t, adopt(t, options(disk.IfKilled(), true)), 91, 100)
}
