package journal_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/queue/journal"
	"github.com/writebehind/writebehind/queue/journal/journaltest"
)

func TestJournalReturnsWhatWasAppended(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			opts := options(nil, sync)
			opts.Path = filepath.Join(t.TempDir(), "journal")
			j := create(t, opts)
			require.Zero(t, j.Last())
			require.Equal(t, journal.LSN(1), j.First())
			add(t, j, 1, 100)
			verify(t, j, 1, 100)
			verify(t, j, 60, 100)
			require.NoError(t, j.Close())
			require.NoError(t, j.Close())
			require.ErrorIs(t, j.Append(101, nil), journal.ErrClosed)

			again := adopt(t, opts)
			require.Equal(t, j.ID(), again.ID())
			require.Equal(t, journal.LSN(1), again.First())
			require.Equal(t, journal.LSN(100), again.Last())
			verify(t, again, 1, 100)
		})
	}
}

func TestDeadProcessLosesNothing(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			disk := journaltest.NewDisk()
			next := journal.LSN(1)
			j := create(t, options(disk, sync))
			for range 10 {
				add(t, j, next, next+30)
				next += 31
				disk = disk.Kill()
				j = adopt(t, options(disk, sync))
				require.Equal(t, next-1, j.Last())
				verify(t, j, 1, next-1)
				require.ErrorIs(t, j.Append(next, nil), journal.ErrReadOnly)
				require.Error(t, j.Start(next-1), "a group's LSN is not given out twice")
				require.NoError(t, j.Start(next))
				verify(t, j, 1, next-1)
			}
		})
	}
}

// An orphan of one durability may go on with the other.
func TestOrphanGoesOnInTheOtherMode(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			disk := journaltest.NewDisk()
			add(t, create(t, options(disk, sync)), 1, 50)
			disk = disk.Kill()
			j := adopt(t, options(disk, !sync))
			require.NoError(t, j.Start(51))
			add(t, j, 51, 100)
			disk = disk.Kill()
			verify(t, adopt(t, options(disk, sync)), 1, 100)
		})
	}
}

func TestStartMayLeaveLSNsOut(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			disk := journaltest.NewDisk()
			add(t, create(t, options(disk, sync)), 1, 10)
			disk = disk.Kill()
			j := adopt(t, options(disk, sync))
			require.NoError(t, j.Start(21))
			require.Equal(t, journal.LSN(20), j.Durable())
			add(t, j, 21, 30)
			for _, after := range []*journaltest.Disk{disk.IfKilled(), disk.IfCrashed(1)} {
				j = adopt(t, options(after, sync))
				var seen []journal.LSN
				require.NoError(t, j.Replay(1, func(r journal.Record) error {
					seen = append(seen, r.LSN)
					return nil
				}))
				require.Equal(t, []journal.LSN{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, seen[:10])
				if sync || len(seen) == 20 {
					require.Equal(t, journal.LSN(30), seen[len(seen)-1])
					require.Len(t, seen, 20)
				}
			}
		})
	}
}

func TestGroupLargerThanASegmentGetsItsOwn(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			disk := journaltest.NewDisk()
			j := create(t, options(disk, sync))
			sizes := []int{10, 5000, 4096, 100_000, 3990, 20, 50_000, 50_000}
			for i, size := range sizes {
				lsn := journal.LSN(i + 1)
				def := &journal.Definition{ID: 3, Text: bytes.Repeat([]byte("d"), 1000)}
				require.NoError(t, j.Append(lsn, bytes.Repeat([]byte{byte(i)}, size), def, def))
				require.NoError(t, j.Wait(lsn))
			}
			disk = disk.Kill()
			j = adopt(t, options(disk, sync))
			require.NoError(t, j.Replay(1, func(r journal.Record) error {
				i := int(r.LSN) - 1
				require.Equal(t, bytes.Repeat([]byte{byte(i)}, sizes[i]), r.Payload)
				require.Len(t, r.Definition(3), 1000)
				require.Nil(t, r.Definition(4))
				return nil
			}))
			require.Equal(t, journal.LSN(len(sizes)), j.Last())
		})
	}
}

func TestGroupMayComeFirstAndBeTooLarge(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			disk := journaltest.NewDisk()
			j := create(t, options(disk, sync))
			require.NoError(t, j.Append(1, make([]byte, 9000)))
			require.NoError(t, j.Wait(1))
			disk = disk.Kill()
			require.Equal(t, journal.LSN(1), adopt(t, options(disk, sync)).Last())
		})
	}
}

func TestTrimDeletesWhatTheCheckpointHasPassed(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			disk := journaltest.NewDisk()
			opts := options(disk, sync)
			opts.MaxBytes = 16 << 10
			j := create(t, opts)
			add(t, j, 1, 150)
			require.True(t, j.Full())
			before := j.Bytes()
			// Without Options.Sync a segment goes once it has been synced.
			require.Eventually(t, func() bool {
				require.NoError(t, j.Trim(100))
				return j.First() > 60
			}, waitLimit, waitTick)
			require.Less(t, j.Bytes(), before)
			require.LessOrEqual(t, j.First(), journal.LSN(101))
			require.Equal(t, journal.LSN(100), j.Checkpoint())
			verify(t, j, 101, 150)

			require.NoError(t, j.Trim(150))
			require.False(t, j.Full(), "all is flushed, so writers need not wait")
			require.NotEmpty(t, files(t, disk, j, ".segment"))
			add(t, j, 151, 160)

			disk = disk.Kill()
			opts.FS = disk
			j = adopt(t, opts)
			require.GreaterOrEqual(t, j.Checkpoint(), journal.LSN(100))
			verify(t, j, 151, 160)
			require.NoError(t, j.Start(161))
			add(t, j, 161, 200)
			verify(t, j, 151, 200)
		})
	}
}

// Every segment has the definitions that its groups name.
func TestTrimLosesNoDefinition(t *testing.T) {
	disk := journaltest.NewDisk()
	j := create(t, options(disk, true))
	add(t, j, 1, 300)
	require.NoError(t, j.Trim(290))
	require.Greater(t, j.First(), journal.LSN(200))
	verify(t, j, 291, 300)
	disk = disk.Kill()
	verify(t, adopt(t, options(disk, true)), 291, 300)
}

func TestCheckpointAtCloseIsKept(t *testing.T) {
	disk := journaltest.NewDisk()
	j := create(t, options(disk, true))
	add(t, j, 1, 5)
	require.NoError(t, j.Trim(3))
	require.NoError(t, j.Close())
	require.Equal(t, journal.LSN(3), adopt(t, options(disk, true)).Checkpoint())
}

func TestLiveJournalIsNotAdopted(t *testing.T) {
	for name, fsys := range map[string]journal.FS{"disk": journaltest.NewDisk(), "system": nil} {
		t.Run(name, func(t *testing.T) {
			opts := options(fsys, true)
			if fsys == nil {
				opts.Path = t.TempDir()
			}
			live := create(t, opts)
			add(t, live, 1, 3)
			none, err := orphans(t, opts)
			require.NoError(t, err)
			require.Empty(t, none)
			add(t, live, 4, 5)

			reports, err := journal.Inspect(opts.FS, opts.Path)
			require.NoError(t, err)
			require.Len(t, reports, 1)
			require.True(t, reports[0].Live)
			require.Equal(t, journal.LSN(5), reports[0].Last)
			require.NoError(t, live.Close())

			orphan := adopt(t, opts)
			none, err = orphans(t, opts)
			require.NoError(t, err)
			require.Empty(t, none, "adopted once")
			require.NoError(t, orphan.Close())
			adopt(t, opts)
		})
	}
}

func TestOrphansComeOldestFirst(t *testing.T) {
	disk := journaltest.NewDisk()
	var ids []string
	for range 6 {
		ids = append(ids, create(t, options(disk, true)).ID())
	}
	found, err := orphans(t, options(disk.Kill(), true))
	require.NoError(t, err)
	for i, j := range found {
		require.Equal(t, ids[i], j.ID())
	}
	require.Len(t, found, len(ids))
}

func TestRemovedJournalIsGone(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			opts := options(nil, sync)
			opts.Path = t.TempDir()
			j := create(t, opts)
			add(t, j, 1, 100)
			require.NoError(t, j.Remove())
			require.NoDirExists(t, j.Dir())
			require.ErrorIs(t, j.Remove(), journal.ErrClosed)
			none, err := orphans(t, opts)
			require.NoError(t, err)
			require.Empty(t, none)
		})
	}
}

// A process that dies while it makes or removes a journal leaves nothing that
// anybody has to look after.
func TestHalfMadeAndHalfRemovedJournalsGo(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			for _, op := range []journaltest.Op{journaltest.OpWrite, journaltest.OpRename, journaltest.OpSyncDir, journaltest.OpRemove, journaltest.OpSync} {
				for nth := 1; nth < 12; nth++ {
					disk := journaltest.NewDisk()
					d, err := journal.Open(options(disk, sync))
					require.NoError(t, err)
					faults := journaltest.NewFaults(disk)
					dying, err := journal.Open(options(faults, sync))
					require.NoError(t, err)
					// Everything fails from one point on, as it does for the dead.
					faults.FailFrom(op, nth, os.ErrDeadlineExceeded)
					if j, err := dying.Create(1); err == nil {
						if j.Append(1, []byte("x")) == nil {
							_ = j.Wait(1)
						}
						_ = j.Remove()
					}
					_ = d
					after := disk.Kill()
					found, err := orphans(t, options(after, sync))
					require.NoError(t, err, "%s %d", op, nth)
					for _, j := range found {
						require.NoError(t, j.Start(j.Last()+1))
						require.NoError(t, j.Remove())
					}
					names, err := after.ReadDir(path)
					require.NoError(t, err)
					require.Equal(t, []string{"writebehind.json"}, names, "%s %d", op, nth)
				}
			}
		})
	}
}

func TestDirectoryOfAnotherDatabaseIsRefused(t *testing.T) {
	disk := journaltest.NewDisk()
	opts := options(disk, true)
	create(t, opts)
	opts.Identity = "7000000000000000002/16384"
	_, err := journal.Open(opts)
	var mismatch *journal.MismatchError
	require.ErrorAs(t, err, &mismatch)
	require.ErrorContains(t, err, "7000000000000000001/16384")
	require.ErrorContains(t, err, "7000000000000000002/16384")
	require.ErrorContains(t, err, path)
}

func TestFilesAreForThisUserOnly(t *testing.T) {
	opts := options(nil, true)
	opts.Path = filepath.Join(t.TempDir(), "a", "journal")
	j := create(t, opts)
	add(t, j, 1, 50)
	require.NoError(t, j.Close())
	require.NoError(t, filepath.WalkDir(opts.Path, func(name string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		want := os.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		}
		require.Equal(t, want, info.Mode().Perm(), name)
		return nil
	}))
}

func TestGroupsComeInOrderOrNotAtAll(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			j := create(t, options(journaltest.NewDisk(), sync))
			add(t, j, 1, 2)
			require.Error(t, j.Append(2, nil))
			require.Error(t, j.Append(4, nil))
			require.Error(t, j.Wait(3))
			require.NoError(t, j.Err())
			add(t, j, 3, 4)
		})
	}
}

func TestCloseKeepsWhatNobodyWaitedFor(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			disk := journaltest.NewDisk()
			j := create(t, options(disk, sync))
			for lsn := journal.LSN(1); lsn <= 100; lsn++ {
				require.NoError(t, j.Append(lsn, payloadOf(lsn), definitionOf(lsn)))
			}
			require.NoError(t, j.Close())
			require.NotZero(t, j.LastSync())
			verify(t, adopt(t, options(disk.Crash(1), sync)), 1, 100)
		})
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	opts := options(nil, false)
	opts.Path, opts.SegmentBytes = t.TempDir(), 1<<20
	j := create(t, opts)
	payload, def := make([]byte, 200), &journal.Definition{ID: 7, Text: []byte("{}")}
	lsn := journal.LSN(1)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if err := j.Append(lsn, payload, def); err != nil {
			panic(err)
		}
		lsn++
	}))
}
