package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/writebehind/writebehind/internal/pgtest"
)

type options struct {
	cycles  int
	seed    uint64
	modes   []mode
	syncs   []string
	none    bool
	workers int
	keep    bool
	verbose bool
	repeat  bool
	program string // the child's, if it is not this one
	only    []kind // instead of every mode with every journal
}

// command is what repeats a run.
func (o options) command() string {
	var modes []string
	for _, m := range o.modes {
		modes = append(modes, m.name)
	}
	command := fmt.Sprintf("go run ./internal/crash -cycles %d -seed %d -modes %s -sync %q",
		o.cycles, o.seed, strings.Join(modes, ","), strings.Join(o.syncs, ","))
	if o.none {
		command += " -none"
	}
	if o.repeat {
		command += " -repeat"
	}
	return command
}

// run runs every mode with every journal and reports whether all was as promised.
func run(ctx context.Context, out io.Writer, o options) (fine bool, err error) {
	fmt.Fprintf(out, "crash: seed %d, the command: %s\n", o.seed, o.command())
	server, err := pgtest.Start(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if server.External() {
		return false, fmt.Errorf("the server must be killed: %w", pgtest.ErrExternal)
	}
	journals, err := os.MkdirTemp("", "writebehind-crash-")
	if err != nil {
		return false, err
	}
	if o.keep {
		fmt.Fprintln(out, "journals:", journals)
	} else {
		defer func() { err = errors.Join(err, os.RemoveAll(journals)) }()
	}

	var total table
	for _, k := range o.kinds() {
		s, err := newSetting(ctx, out, o, server, journals, k)
		if err != nil {
			return false, err
		}
		err = s.run(ctx)
		total.rows = append(total.rows, s.row)
		if err = errors.Join(err, s.close()); err != nil {
			total.print(out)
			return false, fmt.Errorf("mode %s, %s, seed %d, cycle %d: %w", k.mode.name, k.journal, o.seed, s.row.cycles+1, err)
		}
	}
	total.print(out)
	total.last(out)
	return total.fine(), nil
}

// journalKind is the value of writebehind.sync, or "none" for no journal.
type journalKind string

const noJournal journalKind = "none"

func (j journalKind) String() string {
	if j == noJournal {
		return "journal none"
	}
	return "sync " + string(j)
}

// kind is a mode with a journal.
type kind struct {
	mode    mode
	journal journalKind
}

// kinds are those to run.
func (o options) kinds() []kind {
	if o.only != nil {
		return o.only
	}
	var all []kind
	for _, m := range o.modes {
		for _, s := range o.syncs {
			all = append(all, kind{m, journalKind(s)})
		}
		if o.none && !m.power {
			all = append(all, kind{m, noJournal})
		}
	}
	return all
}

// parameters are those of the shim for the journal.
func (j journalKind) parameters(directory string) []string {
	if j == noJournal {
		return []string{"writebehind.journal=none"}
	}
	return []string{"writebehind.journal=" + directory, "writebehind.sync=" + string(j)}
}

func portParameters(port int) []string {
	return []string{"host=127.0.0.1", "port=" + strconv.Itoa(port), "sslmode=disable"}
}
