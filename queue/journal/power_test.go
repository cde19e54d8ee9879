package journal_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/queue/journal"
	"github.com/writebehind/writebehind/queue/journal/journaltest"
)

// life is an application over many deaths and power losses.
type life struct {
	*testing.T
	random     *rand.Rand
	disk       *journaltest.Disk
	sync       bool
	j          *journal.Journal
	groups     map[journal.LSN]string
	next       journal.LSN
	acked      journal.LSN // must survive a power loss with sync, a kill without
	checkpoint journal.LSN
}

func (l *life) append() {
	payload := fmt.Sprintf("%d %d %s", l.next, l.random.Uint64(), strings.Repeat("p", l.random.IntN(300)))
	if l.random.IntN(40) == 0 {
		payload += strings.Repeat("large", 2000)
	}
	require.NoError(l, l.j.Append(l.next, []byte(payload), definitionOf(l.next)))
	l.groups[l.next] = payload
	l.next++
	if !l.sync {
		l.acked = l.next - 1
	}
}

func (l *life) wait() {
	require.NoError(l, l.j.Wait(l.next-1))
	l.acked = l.next - 1
}

// work does some of what an application does.
func (l *life) work() {
	for range l.random.IntN(60) {
		switch l.random.IntN(10) {
		case 0, 1, 2, 3, 4, 5, 6:
			l.append()
		case 7, 8:
			l.wait()
		case 9:
			if l.random.IntN(3) == 0 && l.acked > l.checkpoint {
				l.checkpoint += l.random.Uint64N(l.acked-l.checkpoint) + 1
				require.NoError(l, l.j.Trim(l.checkpoint))
			}
		}
	}
}

// die ends the process, one way or another, and starts the next one.
func (l *life) die() {
	power := l.random.IntN(2) == 0
	old := l.j
	if power {
		l.disk = l.disk.Crash(l.random.Uint64())
	} else {
		l.disk = l.disk.Kill()
	}
	_ = old.Close() // ends its goroutines; its disk is dead
	l.recover(power && !l.sync)
}

// recover adopts the journal; some may be lost only if mayLose.
func (l *life) recover(mayLose bool) {
	found, err := orphans(l.T, options(l.disk, l.sync))
	require.NoError(l, err)
	require.Len(l, found, 1)
	l.j = found[0]
	last := l.j.Last()
	if mayLose {
		last = max(last, l.checkpoint)
	} else {
		require.GreaterOrEqual(l, last, l.acked)
	}
	require.Less(l, last, l.next)
	l.next = last + 1
	l.verify()
	if l.random.IntN(2) == 0 {
		l.fallOver(mayLose)
		return
	}
	require.NoError(l, l.j.Start(l.next))
	// What was recovered is synced by now.
	l.acked = l.next - 1
	l.verify()
}

func (l *life) verify() {
	at := l.checkpoint + 1
	require.LessOrEqual(l, l.j.First(), max(at, l.j.Last()+1))
	require.NoError(l, l.j.Replay(at, func(r journal.Record) error {
		require.Equal(l, at, r.LSN)
		require.Equal(l, l.groups[at], string(r.Payload))
		require.Equal(l, string(definitionOf(at).Text), string(r.Definition(definitionOf(at).ID)))
		at++
		return nil
	}))
	require.Equal(l, l.next, at)
}

// fallOver dies in the middle of Start, and recovers again.
func (l *life) fallOver(mayLose bool) {
	_ = l.j.Close()
	faults := journaltest.NewFaults(l.disk)
	ops := []journaltest.Op{journaltest.OpWrite, journaltest.OpSync, journaltest.OpRename, journaltest.OpSyncDir, journaltest.OpRemove}
	found, err := orphans(l.T, options(faults, l.sync))
	require.NoError(l, err)
	faults.FailFrom(ops[l.random.IntN(len(ops))], 1+l.random.IntN(4), os.ErrDeadlineExceeded)
	j := found[0]
	// Before it has succeeded nothing that was recovered counts as acknowledged
	// by this process; what counted before still does.
	_ = j.Start(l.next)
	power := l.random.IntN(2) == 0
	if power {
		l.disk = l.disk.Crash(l.random.Uint64())
	} else {
		l.disk = l.disk.Kill()
	}
	_ = j.Close()
	l.recover(mayLose || power && !l.sync)
}

func TestAcknowledgedSurvivesWhatIsPromised(t *testing.T) {
	for _, sync := range modes {
		t.Run(fmt.Sprint("sync=", sync), func(t *testing.T) {
			seeds := uint64(60)
			if testing.Short() {
				seeds = 15
			}
			for seed := range seeds {
				t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
					l := &life{
						T: t, random: rand.New(rand.NewPCG(seed, 1)), disk: journaltest.NewDisk(), sync: sync,
						groups: make(map[journal.LSN]string), next: 1,
					}
					l.j = create(t, options(l.disk, sync))
					for range 8 {
						l.work()
						l.die()
					}
				})
			}
		})
	}
}
