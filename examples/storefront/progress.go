package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const barWidth = 30

// progress shows how far one side has got: a bar that is redrawn in place on
// a terminal, a few plain lines elsewhere.
type progress struct {
	w        io.Writer
	terminal bool
	label    string
	total    time.Duration
	done     func() int64 // operations so far
}

// isTerminal tells whether w is a character device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// start draws until the returned function is called, which draws once more and
// returns when nothing will be written any longer.
func (p progress) start() (stop func()) {
	interval := p.total / 4
	if p.terminal {
		interval = 100 * time.Millisecond
	}
	begin := time.Now()
	quit, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		ticker := time.NewTicker(max(interval, time.Millisecond))
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				if elapsed := time.Since(begin); elapsed < p.total {
					p.draw(elapsed)
				}
			case <-quit:
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-finished
		p.draw(time.Since(begin))
		if p.terminal {
			p.write("\n")
		}
	}
}

func (p progress) draw(elapsed time.Duration) {
	share := min(elapsed.Seconds()/p.total.Seconds(), 1)
	n := p.done()
	rate := float64(n) / max(elapsed.Seconds(), 1e-3)
	state := fmt.Sprintf("%3.0f %%  %s operations, %s/s", 100*share, grouped(n), grouped(int64(rate)))
	if !p.terminal {
		p.write(fmt.Sprintf("%-12s %s\n", p.label, state))
		return
	}
	filled := int(share * barWidth)
	bar := strings.Repeat("#", filled) + strings.Repeat("-", barWidth-filled)
	const eraseRest = "\x1b[K"
	p.write(fmt.Sprintf("\r%-12s [%s] %s%s", p.label, bar, state, eraseRest))
}

// write ignores errors: nothing depends on the bar.
func (p progress) write(text string) {
	_, _ = io.WriteString(p.w, text)
}
