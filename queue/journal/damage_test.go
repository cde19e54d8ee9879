package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/queue/journal"
	"github.com/writebehind/writebehind/queue/journal/journaltest"
)

// history is a journal on a disk, with groups that were acknowledged.
type history struct {
	disk  *journaltest.Disk
	sync  bool
	files []string
	last  journal.LSN
}

// histories are those that the tests of damage go through: closed, killed, killed
// after an earlier recovery, and, with Sync, without power.
func histories(t *testing.T) map[string]history {
	t.Helper()
	all := make(map[string]history)
	for _, sync := range []bool{true, false} {
		for _, end := range []string{"closed", "killed", "restarted", "power"} {
			if end == "power" && !sync {
				continue // loses groups by design
			}
			disk := journaltest.NewDisk()
			j := create(t, options(disk, sync))
			add(t, j, 1, 40)
			last := journal.LSN(40)
			switch end {
			case "closed":
				require.NoError(t, j.Close())
				disk = disk.Kill()
			case "restarted":
				disk = disk.Kill()
				j = adopt(t, options(disk, sync))
				require.NoError(t, j.Start(41))
				add(t, j, 41, 45)
				last = 45
				disk = disk.Kill()
			case "killed":
				disk = disk.Kill()
			case "power":
				disk = disk.Crash(7)
			}
			h := history{disk: disk, sync: sync, last: last}
			h.files = append(files(t, disk, j, ".segment"), files(t, disk, j, ".json")...)
			all[fmt.Sprintf("%s, sync=%v", end, sync)] = h
		}
	}
	return all
}

// recovers says what came of reading a damaged journal: how many groups there are,
// or that it was refused. Whatever is there must be what was written.
func (h *history) recovers(t *testing.T) (last journal.LSN, refused bool) {
	t.Helper()
	d, err := journal.Open(options(h.disk, h.sync))
	require.NoError(t, err)
	found, err := d.Orphans()
	if err != nil {
		var damage *journal.DamageError
		require.ErrorAs(t, err, &damage)
		require.NotEmpty(t, damage.File)
		return 0, true
	}
	require.Len(t, found, 1)
	last = found[0].Last()
	verify(t, found[0], 1, last)
	require.NoError(t, found[0].Close())
	return last, false
}

// A byte that flips, anywhere, is noticed or does no harm. With Sync and after a
// power loss this leaves out the groups of the very last sync, unless its marker
// reached the disk.
func TestFlippedByteIsNeverBelieved(t *testing.T) {
	for name, h := range histories(t) {
		t.Run(name, func(t *testing.T) {
			certain := h.last
			if h.disk.Boot() == "boot 2" {
				certain--
			}
			refusals := 0
			step := 1
			if strings.HasPrefix(name, "restarted") || strings.HasPrefix(name, "closed") {
				step = 5 // the other histories have the same frames
			}
			for _, file := range h.files {
				data := h.disk.Data(file)
				end := len(bytes.TrimRight(data, "\x00")) + 100
				for i := 0; i < min(end, len(data)); i += step {
					flip := byte(1) << (i % 8)
					if i%9 == 0 {
						flip = 0xff
					}
					data[i] ^= flip
					last, refused := h.recovers(t)
					data[i] ^= flip
					if refused {
						refusals++
						continue
					}
					require.GreaterOrEqual(t, last, certain, "%s: byte %d ^ %x", file, i, flip)
				}
			}
			require.Greater(t, refusals, 300)
			last, refused := h.recovers(t)
			require.False(t, refused)
			require.Equal(t, h.last, last)
		})
	}
}

// A file that ends early, wherever, is noticed: its size is in its header.
func TestTruncatedFileIsRefused(t *testing.T) {
	for name, h := range histories(t) {
		t.Run(name, func(t *testing.T) {
			for _, file := range h.files {
				data := bytes.Clone(h.disk.Data(file))
				for n := 0; n < len(data); n += 61 {
					h.disk.SetData(file, data[:n])
					_, refused := h.recovers(t)
					require.True(t, refused, "%s at %d", file, n)
				}
				h.disk.SetData(file, data)
			}
		})
	}
}

// The end of a segment that is zeros instead (blocks that were lost) is noticed,
// but for the newest groups after a power loss, and after a kill when nothing is
// left that was written later.
func TestLostEndOfASegmentIsNoticed(t *testing.T) {
	for name, h := range histories(t) {
		t.Run(name, func(t *testing.T) {
			segments := h.files[:len(h.files)-1]
			for i, file := range segments[:len(segments)-1] {
				data := bytes.Clone(h.disk.Data(file))
				end := len(bytes.TrimRight(data, "\x00"))
				if end <= 64 || len(bytes.TrimRight(h.disk.Data(segments[i+1])[64:], "\x00")) == 0 {
					continue // the newest with groups
				}
				for n := 64; n < end; n += 11 {
					clear(h.disk.Data(file)[n:])
					last, refused := h.recovers(t)
					require.True(t, refused || last == h.last, "%s from %d: %d", file, n, last)
					copy(h.disk.Data(file), data)
				}
			}
		})
	}
}

// The meta file of a journal that was closed names its last group, so that even a
// loss of everything at the end is noticed.
func TestLostEndOfAClosedJournalIsRefused(t *testing.T) {
	disk := journaltest.NewDisk()
	j := create(t, options(disk, true))
	add(t, j, 1, 5)
	require.NoError(t, j.Close())
	disk = disk.Crash(1)
	data := disk.Data(files(t, disk, j, "01.segment")[0])
	clear(data[300:])
	h := history{disk: disk, sync: true}
	_, refused := h.recovers(t)
	require.True(t, refused)
}

// A frame is believed in its own place only: a block that the disk wrote to another
// place, or a payload with the bytes of frames in it, is none.
func TestFrameInAnotherPlaceIsNotBelieved(t *testing.T) {
	disk := journaltest.NewDisk()
	j := create(t, options(disk, true))
	for lsn := journal.LSN(1); lsn <= 2; lsn++ {
		require.NoError(t, j.Append(lsn, make([]byte, 32)))
		require.NoError(t, j.Wait(lsn))
	}
	disk = disk.Kill().Crash(1) // so that what is later attests only what it says
	data := disk.Data(files(t, disk, j, "01.segment")[0])
	// After the header: begin (48), group 1 (64), marker (32), group 2, marker 2.
	const group2 = 64 + 48 + 64 + 32
	const marker2 = group2 + 64
	marker := bytes.Clone(data[marker2 : marker2+32])
	clear(data[group2:marker2])
	_, err := orphans(t, options(disk, true))
	require.Error(t, err, "the marker says that the group was on the disk")
	clear(data[marker2:])
	copy(data[marker2+8:], marker)
	require.Equal(t, journal.LSN(1), adopt(t, options(disk, true)).Last())
}

func TestMissingFileIsRefused(t *testing.T) {
	for name, h := range histories(t) {
		t.Run(name, func(t *testing.T) {
			for i, file := range h.files {
				data := bytes.Clone(h.disk.Data(file))
				unused := len(bytes.TrimRight(data[64:], "\x00")) == 0
				require.NoError(t, h.disk.Remove(file))
				last, refused := h.recovers(t)
				if unused && !refused {
					require.Equal(t, h.last, last)
				} else {
					require.True(t, refused, "file %d of %d", i, len(h.files))
				}
				h.disk.SetData(file, data)
			}
		})
	}
}

// A journal that is refused is as it was, and goes on once it is repaired.
func TestRefusedJournalIsNotTouched(t *testing.T) {
	for name, h := range histories(t) {
		t.Run(name, func(t *testing.T) {
			first := h.disk.Data(h.files[0])
			first[300] ^= 1
			var before [][]byte
			for _, file := range h.files {
				before = append(before, bytes.Clone(h.disk.Data(file)))
			}
			_, err := orphans(t, options(h.disk, h.sync))
			var damage *journal.DamageError
			require.ErrorAs(t, err, &damage)
			require.Equal(t, h.files[0], damage.File)
			require.LessOrEqual(t, damage.Offset, int64(300))
			require.ErrorContains(t, err, h.files[0])
			for i, file := range h.files {
				require.True(t, bytes.Equal(before[i], h.disk.Data(file)))
			}
			first[300] ^= 1
			j := adopt(t, options(h.disk, h.sync))
			require.NoError(t, j.Start(h.last+1))
			add(t, j, h.last+1, h.last+20)
		})
	}
}

// Damage in what the checkpoint has passed is nobody's business.
func TestDamageBelowTheCheckpointIsPassedOver(t *testing.T) {
	disk := journaltest.NewDisk()
	faults := journaltest.NewFaults(disk)
	j := create(t, options(faults, true))
	add(t, j, 1, 100)
	faults.FailFrom(journaltest.OpRemove, 1, errInjected)
	require.ErrorIs(t, j.Trim(90), errInjected, "the meta file is written, the segments stay")
	disk = disk.Kill()
	segments := files(t, disk, j, ".segment")
	disk.Data(segments[0])[100] ^= 1
	disk.Data(segments[1])[10] ^= 1
	require.NoError(t, disk.Remove(segments[2]))
	j = adopt(t, options(disk, true))
	verify(t, j, 91, 100)
	require.NoError(t, j.Start(101))
	verify(t, j, 91, 100)
	require.NotContains(t, files(t, disk, j, ".segment"), segments[0])
}

func TestSegmentOfAnotherJournalIsRefused(t *testing.T) {
	disk := journaltest.NewDisk()
	a, b := create(t, options(disk, true)), create(t, options(disk, true))
	add(t, a, 1, 5)
	add(t, b, 1, 5)
	disk = disk.Kill()
	of := func(j *journal.Journal) string { return files(t, disk, j, "01.segment")[0] }
	disk.SetData(of(a), disk.Data(of(b)))
	_, err := orphans(t, options(disk, true))
	require.ErrorContains(t, err, "another journal")
}

var errInjected = errors.New("injected")

// Whatever is in a segment, reading it ends, and what it returns had a checksum.
func FuzzRecover(f *testing.F) {
	disk := journaltest.NewDisk()
	j := create(f, options(disk, true))
	add(f, j, 1, 12)
	disk = disk.Kill()
	segment := files(f, disk, j, "01.segment")[0]
	f.Add(bytes.Clone(disk.Data(segment)), uint16(0), uint64(0))
	f.Add([]byte("not a segment"), uint16(70), uint64(1)<<63)
	f.Add(bytes.Repeat([]byte{0xff}, 5000), uint16(64), uint64(3))
	f.Fuzz(func(t *testing.T, data []byte, at uint16, word uint64) {
		disk := disk.Kill()
		// A header that holds lets the rest be read as frames.
		if len(data) > 64 && word%2 == 0 {
			whole := bytes.Clone(disk.Data(segment))
			copy(whole[64:], data[64:])
			data = whole
			for i := range 8 {
				data[64+(int(at)+i)%(len(data)-64)] ^= byte(word >> (8 * i))
			}
		}
		disk.SetData(segment, data)
		d, err := journal.Open(options(disk, true))
		require.NoError(t, err)
		found, err := d.Orphans()
		if err != nil {
			var damage *journal.DamageError
			require.ErrorAs(t, err, &damage)
			return
		}
		verify(t, found[0], 1, found[0].Last())
		require.NoError(t, found[0].Start(found[0].Last()+1))
		next := found[0].Last() + 1
		add(t, found[0], next, next)
		require.NoError(t, found[0].Close())
		_, err = journal.Inspect(disk, filepath.Dir(found[0].Dir()))
		require.NoError(t, err)
	})
}
