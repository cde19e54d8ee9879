package journal_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/queue/journal"
	"github.com/writebehind/writebehind/queue/journal/journaltest"
)

// written is a journal whose groups hold what fuzzing chose, among it frames of the
// journal itself.
type written struct {
	disk     *journaltest.Disk
	files    []string
	payloads [][]byte
	sync     bool
}

// write makes a journal of a program, each byte of which begins a group: the length
// of its payload, which follows, or from 0xf0 on a copy of what is in a segment.
func write(t *testing.T, program []byte, sync bool) *written {
	t.Helper()
	disk := journaltest.NewDisk()
	w := &written{disk: disk, sync: sync}
	j := create(t, options(disk, sync))
	for len(program) > 0 && len(w.payloads) < 30 {
		lsn := journal.LSN(len(w.payloads) + 1)
		op := program[0]
		program = program[1:]
		payload := fmt.Appendf(nil, "group %d ", lsn)
		if op >= 0xf0 {
			segments := files(t, disk, j, ".segment")
			data := disk.Data(segments[int(op)%len(segments)])
			payload = append(payload, make([]byte, 8-len(payload)%8)...) // frames begin at a multiple of 8
			payload = append(payload, data[64:min(len(data), 1000)]...)
		} else {
			n := min(int(op), len(program))
			payload = append(payload, program[:n]...)
			program = program[n:]
		}
		w.payloads = append(w.payloads, payload)
		require.NoError(t, j.Append(lsn, payload, definitionOf(lsn)))
		require.NoError(t, j.Wait(lsn))
	}
	w.files = append(files(t, disk, j, ".segment"), files(t, disk, j, ".json")...)
	return w
}

func (w *written) last() journal.LSN { return journal.LSN(len(w.payloads)) }

// recover returns the last group that is found, each of which must be what was
// written, or that the journal is refused.
func (w *written) recover(t *testing.T) (last journal.LSN, refused bool) {
	t.Helper()
	d, err := journal.Open(options(w.disk, w.sync))
	require.NoError(t, err)
	found, err := d.Orphans()
	if err != nil {
		var damage *journal.DamageError
		require.ErrorAs(t, err, &damage)
		return 0, true
	}
	require.Len(t, found, 1)
	require.NoError(t, found[0].Replay(1, func(r journal.Record) error {
		last++
		require.Equal(t, last, r.LSN)
		require.LessOrEqual(t, last, w.last())
		require.True(t, bytes.Equal(w.payloads[last-1], r.Payload), "group %d", last)
		named := definitionOf(last)
		require.Equal(t, string(named.Text), string(r.Definition(named.ID)))
		return nil
	}))
	require.Equal(t, found[0].Last(), last)
	require.NoError(t, found[0].Close())
	return last, false
}

// FuzzDamage: whatever groups hold and whatever happens to a file of theirs, recovery
// returns what was written or refuses the journal, and it leaves out none that a later
// one was written after.
func FuzzDamage(f *testing.F) {
	program := []byte("\x05hello\x00\xf0\x03abc\xf1\x30" + "a group of some forty bytes, more or less......" + "\x01a\xf0\x01b\x01c")
	for how := range uint8(5) {
		f.Add(program, true, how, uint8(0), uint16(200), uint16(9), uint16(64))
		f.Add(program, false, how, uint8(0), uint16(400), uint16(200), uint16(112))
		f.Add(bytes.Repeat(program, 3), true, how, uint8(1), uint16(64), uint16(32), uint16(64))
		f.Add(bytes.Repeat(program, 3), true, how, uint8(255), uint16(20), uint16(1), uint16(0))
	}
	f.Fuzz(func(t *testing.T, program []byte, sync bool, how, file uint8, at, length, from uint16) {
		w := write(t, program, sync)
		certain := w.last()
		if sync && how >= 128 {
			w.disk = w.disk.Crash(uint64(how))
			if certain > 0 {
				certain-- // a marker says of a group that it was on the disk before
			}
		} else {
			w.disk = w.disk.Kill()
		}
		path := w.files[int(file)%len(w.files)]
		data := w.disk.Data(path)
		whole := bytes.Clone(data)
		begin := int(at) % len(data)
		end := min(begin+int(length)+1, len(data))
		later := w.later(path, end)
		switch how % 5 {
		case 0: // nothing
			certain, later = w.last(), true
		case 1: // a byte flips
			data[begin] ^= byte(length>>8) | 1
			later = true
		case 2: // blocks are lost
			clear(data[begin:end])
		case 3: // a block is in another place
			copy(data[begin:end], whole[int(from)%len(whole):])
		case 4: // the file ends early
			w.disk.SetData(path, data[:begin])
			_, refused := w.recover(t)
			require.True(t, refused)
			return
		}
		last, refused := w.recover(t)
		if refused {
			require.False(t, bytes.Equal(whole, data), "nothing was damaged")
			return
		}
		if later || bytes.Equal(whole, data) {
			require.GreaterOrEqual(t, last, certain)
		}
	})
}

// later says whether two groups of the file lie after the offset, the second of which
// was written when the first was on the disk.
func (w *written) later(path string, offset int) bool {
	data := w.disk.Data(path)[offset:]
	for lsn := w.last(); lsn > 1; lsn-- {
		// The name of a group begins its payload; a copy of it in another has no header.
		if bytes.Contains(data, w.payloads[lsn-1]) && bytes.Contains(data, w.payloads[lsn-2]) {
			return !w.copied(lsn) && !w.copied(lsn-1)
		}
	}
	return false
}

// copied says whether the payload of a group is part of that of another.
func (w *written) copied(lsn journal.LSN) bool {
	for i, p := range w.payloads {
		if journal.LSN(i+1) != lsn && bytes.Contains(p, w.payloads[lsn-1]) {
			return true
		}
	}
	return false
}
