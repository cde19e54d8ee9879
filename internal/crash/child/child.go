// Package child is the process that the crash laboratory kills: it opens the
// shim, works on it with several goroutines, and tells on a pipe what it is about
// to do and what came of it.
package child

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/crash/load"
	"github.com/writebehind/writebehind/internal/crash/record"
)

// Env is set in the environment of a child, since a test's binary takes no flags
// of ours.
const Env = "WRITEBEHIND_CRASH_CHILD"

// PipeFD is the file descriptor that the child reports on.
const PipeFD = 3

// Exit codes of a child.
const (
	Drained    = 0
	Failed     = 1 // it did not come to work
	NotDrained = 3 // Close left something
	PowerLost  = 4
)

// Config is what a child is to do. It is the first line of its standard input;
// a line with a number asks for a mark, and the end of the input means that the
// laboratory is gone.
type Config struct {
	DSN     string
	Drain   bool // only open, flush and close
	Seed    uint64
	Workers []Worker
	Direct  int  // see load.Worker
	Held    bool // see load.Worker

	// Power, if set, has the power lost at SIGUSR1.
	Power *Power
}

// Worker is a worker's start.
type Worker struct {
	Seq  int64
	Rows []load.Row
}

// Main is the main function of a child, and returns its exit code.
func Main() int {
	input := bufio.NewReader(os.Stdin)
	var c Config
	line, err := input.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "configuration:", err)
		return Failed
	}
	pipe := &pipe{file: os.NewFile(PipeFD, "reports")}
	go answerMarks(input, pipe)
	code, err := c.run(pipe)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return code
}

// answerMarks answers marks, and ends the process when the laboratory has ended.
func answerMarks(input *bufio.Reader, pipe *pipe) {
	for {
		line, err := input.ReadString('\n')
		if err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintln(os.Stderr, "input:", err)
			}
			os.Exit(Failed)
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64); err == nil {
			pipe.Report(record.Line{Verb: record.Mark, Mark: n})
		}
	}
}

// pipe tells the laboratory. A line is one system call.
type pipe struct {
	mu     sync.Mutex
	file   *os.File
	buffer []byte
}

// Report implements load.Reporter.
func (p *pipe) Report(l record.Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.buffer = l.Append(p.buffer[:0])
	if _, err := p.file.Write(p.buffer); err != nil {
		os.Exit(Failed) //nolint:gocritic // the laboratory is gone, and the lock goes with the process
	}
}

func (c Config) run(pipe *pipe) (code int, err error) {
	// Before the database is opened: the end may be asked for at any time.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	options, err := c.Power.open(pipe)
	if err != nil {
		return Failed, err
	}
	connector, err := writebehind.NewConnector(c.DSN, options...)
	if err != nil {
		return Failed, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(len(c.Workers) + 2)
	db.SetMaxIdleConns(len(c.Workers) + 2)
	if err := open(ctx, db); err != nil {
		return Failed, errors.Join(err, db.Close())
	}
	pipe.Report(record.Line{Verb: record.Ready})
	if c.Drain {
		// Close drains, too; this is the other way to ask for it.
		if err := writebehind.Flush(ctx, db); err != nil {
			return NotDrained, errors.Join(err, db.Close())
		}
	} else {
		c.work(ctx, db, pipe)
	}
	if err := db.Close(); err != nil {
		return NotDrained, err
	}
	return Drained, nil
}

// open has the engine start, recovery included.
func open(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var n int
	return db.QueryRowContext(ctx, "SELECT n FROM accounts WHERE id = 1").Scan(&n)
}

func (c Config) work(ctx context.Context, db *sql.DB, pipe *pipe) {
	var workers sync.WaitGroup
	for i, w := range c.Workers {
		worker := load.NewWorker(i, w.Seq, c.Seed, w.Rows, db, pipe)
		worker.Direct, worker.Held = c.Direct, c.Held
		workers.Go(func() { worker.Run(ctx) })
	}
	workers.Wait()
}
