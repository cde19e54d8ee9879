package child

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/queue/journal/journaltest"
)

// Power has the child keep its journal on a simulated disk: a machine that only
// loses a process keeps what was written and not synced, so power loss cannot be
// had by killing. At SIGUSR1 the disk loses its power; what is left of it goes into
// Dir, and the process ends. The next child begins with that.
type Power struct {
	Dir    string // where the disk is between two processes
	Path   string // of the journal on the disk, as in the DSN
	Losses int    // how often the power was lost before
	Seed   uint64 // decides what is left
}

// disk is a simulated disk in use.
type disk struct {
	power Power
	now   *journaltest.Disk
}

func (d *disk) options() []writebehind.Option {
	if d == nil {
		return nil
	}
	return []writebehind.Option{writebehind.WithJournalFS(d.now)}
}

// load brings the disk into the state that Dir has.
func (p Power) load() (*disk, error) {
	d := &disk{power: p, now: journaltest.NewDisk()}
	err := filepath.WalkDir(p.Dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := string(filepath.Separator)
		if path != p.Dir {
			rest, err := filepath.Rel(p.Dir, path)
			if err != nil {
				return err
			}
			name += rest
		}
		if entry.IsDir() {
			return d.now.Mkdir(name)
		}
		data, err := os.ReadFile(path)
		d.now.SetData(name, data)
		return err
	})
	// The machine has booted as often as its power was lost.
	for range p.Losses {
		d.now = d.now.Crash(0)
	}
	return d, err
}

// losses is where the loss of power is heard of.
func losses() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	return c
}

// lose waits for the loss of power.
func (d *disk) lose(losses <-chan os.Signal, pipe *pipe) {
	<-losses
	pipe.mu.Lock() // for good: nothing is acknowledged after it
	if err := d.save(d.now.Crash(d.power.Seed)); err != nil {
		fmt.Fprintln(os.Stderr, "power loss:", err)
		os.Exit(Failed)
	}
	os.Exit(PowerLost)
}

// save brings Dir into the state of the disk.
func (d *disk) save(from *journaltest.Disk) error {
	if err := os.RemoveAll(d.power.Dir); err != nil {
		return err
	}
	return saveDirectory(from, string(filepath.Separator), d.power.Dir)
}

func saveDirectory(from *journaltest.Disk, name, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	entries, err := from.ReadDir(name)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path, target := filepath.Join(name, entry), filepath.Join(to, entry)
		if file, err := from.Open(path, false); err == nil {
			err := errors.Join(saveFile(target, from.Data(path)), file.Close())
			if err != nil {
				return err
			}
		} else if err := saveDirectory(from, path, target); err != nil {
			return err
		}
	}
	return nil
}

// saveFile leaves out what is zero: segments are filled with zeros ahead.
func saveFile(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = f.Truncate(int64(len(data)))
	const page = 4096
	for off := 0; off < len(data) && err == nil; off += page {
		part := data[off:min(off+page, len(data))]
		if !allZero(part) {
			_, err = f.WriteAt(part, int64(off))
		}
	}
	return errors.Join(err, f.Close())
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
