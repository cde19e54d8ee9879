package disk

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/queue/journal"
)

// seeds are enough for every mood of a crash to come.
const seeds = 60

func sectors(n int, c byte) []byte { return bytes.Repeat([]byte{c}, n*Sector) }

// afterCrashes runs a history once for each seed and returns how often which
// content of the file was left, by its first bytes of each sector; "-" is a file
// that is not there.
func afterCrashes(t *testing.T, name string, run func(d *Disk, dir string)) map[string]int {
	t.Helper()
	left := make(map[string]int)
	for seed := range uint64(seeds) {
		base := t.TempDir()
		dir := filepath.Join(base, "dir")
		d, err := New(filepath.Join(base, "trash"), 1)
		require.NoError(t, err)
		require.NoError(t, d.Mkdir(dir))
		run(d, dir)
		require.NoError(t, d.Crash(seed))
		require.ErrorIs(t, d.SyncDir(dir), errDead)
		content, err := os.ReadFile(filepath.Join(dir, name))
		text := "-"
		if err == nil {
			text = ""
			for part := range slices.Chunk(content, Sector) {
				text += string('0' + rune(part[0]))
				require.Equal(t, sectors(1, part[0]), part, "a sector is torn")
			}
		} else {
			require.ErrorIs(t, err, os.ErrNotExist)
		}
		left[text]++
	}
	return left
}

// synced makes a file of three sectors of ones that is on the disk.
func synced(t *testing.T, d *Disk, dir string) journal.File {
	t.Helper()
	f, err := d.Create(filepath.Join(dir, "file"))
	require.NoError(t, err)
	write(t, f, sectors(3, 1), 0)
	require.NoError(t, f.Sync())
	require.NoError(t, d.SyncDir(dir))
	return f
}

func write(t *testing.T, f journal.File, b []byte, off int64) {
	t.Helper()
	_, err := f.WriteAt(b, off)
	require.NoError(t, err)
}

func TestSyncedIsKept(t *testing.T) {
	left := afterCrashes(t, "file", func(d *Disk, dir string) {
		f := synced(t, d, dir)
		write(t, f, sectors(1, 2), Sector)
		require.NoError(t, f.Sync())
	})
	require.Equal(t, map[string]int{"121": seeds}, left)
}

func TestUnsyncedSectorsAreThereOrNot(t *testing.T) {
	left := afterCrashes(t, "file", func(d *Disk, dir string) {
		f := synced(t, d, dir)
		write(t, f, sectors(1, 2), 0)
		write(t, f, sectors(1, 3), 2*Sector)
		write(t, f, sectors(1, 4), 2*Sector)
	})
	for _, text := range []string{"111", "211", "114", "214"} {
		require.NotZero(t, left[text], text)
	}
	require.Len(t, left, 4)
}

func TestUnsyncedStoresAreThereOrNot(t *testing.T) {
	left := afterCrashes(t, "file", func(d *Disk, dir string) {
		f := synced(t, d, dir)
		write(t, f, sectors(1, 2), 0)
		data, _, err := f.Map(3 * Sector)
		if err != nil {
			t.Skip(err)
		}
		copy(data[2*Sector:], sectors(1, 3))
	})
	for _, text := range []string{"111", "211", "113", "213"} {
		require.NotZero(t, left[text], text)
	}
	require.Len(t, left, 4)
}

func TestSyncedStoresAreKept(t *testing.T) {
	left := afterCrashes(t, "file", func(d *Disk, dir string) {
		f := synced(t, d, dir)
		data, unmap, err := f.Map(3 * Sector)
		if err != nil {
			t.Skip(err)
		}
		copy(data, sectors(1, 2))
		require.NoError(t, f.Sync())
		copy(data[Sector:], sectors(1, 3))
		require.NoError(t, unmap())
	})
	require.Len(t, left, 2)
	require.NotZero(t, left["211"])
	require.NotZero(t, left["231"])
}

func TestUnsyncedSizeIsThereOrNot(t *testing.T) {
	left := afterCrashes(t, "file", func(d *Disk, dir string) {
		write(t, synced(t, d, dir), sectors(1, 2), 3*Sector)
	})
	for _, text := range []string{"111", "1110", "1112"} {
		require.NotZero(t, left[text], text)
	}
	require.Len(t, left, 3)
}

func TestUnsyncedChangesOfDirectoryComeInOrder(t *testing.T) {
	for name, want := range map[string][]string{"file": {"111", "-", "22"}, "other": {"-", "111"}} {
		t.Run(name, func(t *testing.T) {
			left := afterCrashes(t, name, func(d *Disk, dir string) {
				synced(t, d, dir)
				require.NoError(t, d.Rename(filepath.Join(dir, "file"), filepath.Join(dir, "other")))
				f, err := d.Create(filepath.Join(dir, "file"))
				require.NoError(t, err)
				write(t, f, sectors(2, 2), 0)
				require.NoError(t, f.Sync())
			})
			for _, text := range want {
				require.NotZero(t, left[text], text)
			}
			require.Len(t, left, len(want))
		})
	}
}

func TestUnsyncedRemoveIsThereOrNot(t *testing.T) {
	left := afterCrashes(t, "file", func(d *Disk, dir string) {
		synced(t, d, dir)
		require.NoError(t, d.Remove(filepath.Join(dir, "file")))
	})
	require.Len(t, left, 2)
	require.NotZero(t, left["-"])
	require.NotZero(t, left["111"])
}

func TestSyncedChangesOfDirectoryAreKept(t *testing.T) {
	left := afterCrashes(t, "file", func(d *Disk, dir string) {
		f := synced(t, d, dir)
		other, err := d.Create(filepath.Join(dir, "other"))
		require.NoError(t, err)
		write(t, other, sectors(1, 2), 0)
		require.NoError(t, other.Sync())
		require.NoError(t, d.Rename(filepath.Join(dir, "other"), filepath.Join(dir, "file")))
		require.NoError(t, d.SyncDir(dir))
		write(t, f, sectors(1, 5), 0) // the one that is gone
	})
	require.Equal(t, map[string]int{"2": seeds}, left)
}

func TestNothingWorksWithoutPower(t *testing.T) {
	base := t.TempDir()
	d, err := New(filepath.Join(base, "trash"), 3)
	require.NoError(t, err)
	require.Equal(t, "boot 3", d.Boot())
	f := synced(t, d, base)
	require.NoError(t, d.Crash(1))
	_, err = f.WriteAt([]byte{1}, 0)
	require.ErrorIs(t, err, errDead)
	require.ErrorIs(t, f.Sync(), errDead)
	_, err = d.Create(filepath.Join(base, "x"))
	require.ErrorIs(t, err, errDead)
	_, err = d.Open(filepath.Join(base, "file"), true)
	require.ErrorIs(t, err, errDead)
	require.ErrorIs(t, d.Remove(filepath.Join(base, "file")), errDead)
	require.ErrorIs(t, d.Rename(filepath.Join(base, "file"), filepath.Join(base, "x")), errDead)
}

func openJournal(t *testing.T, d *Disk, path string) *journal.Journal {
	t.Helper()
	directory, err := journal.Open(journal.Options{Path: path, Identity: "1/1", Sync: true, SegmentBytes: 16 << 10, FS: d})
	require.NoError(t, err)
	orphans, err := directory.Orphans()
	require.NoError(t, err)
	if len(orphans) == 0 {
		j, err := directory.Create(1)
		require.NoError(t, err)
		return j
	}
	require.Len(t, orphans, 1)
	j := orphans[0]
	require.NoError(t, j.Start(j.Last()+1))
	return j
}

// A journal on the disk keeps what it said is durable, whatever is lost.
func TestJournalOnDisk(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			base := t.TempDir()
			path := filepath.Join(base, "journal")
			var durable journal.LSN
			for boot := range 3 {
				d, err := New(filepath.Join(base, "trash"), boot)
				require.NoError(t, err)
				j := openJournal(t, d, path)
				require.GreaterOrEqual(t, j.Last(), durable)
				last := j.Last()
				for range 10 {
					last++
					require.NoError(t, j.Append(last, []byte("a group")))
				}
				require.NoError(t, j.Wait(last))
				durable = last
				require.NoError(t, j.Append(last+1, []byte("one that nobody waited for")))
				require.NoError(t, d.Crash(seed))
			}
		})
	}
}
