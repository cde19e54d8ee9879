package child

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/crash/disk"
)

// Power has the child keep its journal on a disk that can lose its power: killing
// a process loses nothing that was written. At SIGUSR1 the power is lost and the
// process ends; the next child begins with what is left.
type Power struct {
	Trash  string // a directory beside the journal's, for what may have to come back
	Losses int    // how often the power was lost before
	Seed   uint64 // decides what is left
}

// open returns the options of the driver that have the journal on the disk.
func (p *Power) open(pipe *pipe) ([]writebehind.Option, error) {
	if p == nil {
		return nil, nil
	}
	d, err := disk.New(p.Trash, 1+p.Losses)
	if err != nil {
		return nil, err
	}
	losses := make(chan os.Signal, 1)
	signal.Notify(losses, syscall.SIGUSR1)
	go func() {
		<-losses
		pipe.mu.Lock() // for good: nothing is told after it
		if err := d.Crash(p.Seed); err != nil {
			fmt.Fprintln(os.Stderr, "power loss:", err)
			os.Exit(Failed)
		}
		os.Exit(PowerLost)
	}()
	return []writebehind.Option{writebehind.WithJournalFS(d)}, nil
}
