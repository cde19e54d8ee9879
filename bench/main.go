// Command bench measures writebehind beside its rivals and prints medians with
// their spread, then one line per ratio that matters:
//
//	go run . -quick                 # under two minutes
//	go run . -run '^read/' -rounds 20
//
// It starts a PostgreSQL server of its own with fsync on (or uses the one that
// PGTEST_DSN names) and gives each subject a database of its own on it.
//
// A subject (subject.go) is a driver with its settings, an operation
// (operation.go) is what is done with it. Each round measures every case once,
// subject after subject, so that whatever slows the machine for a while slows
// all of them; ratios are taken within a round and their median is reported.
// What the ratios mean is written at each of them in ratio.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

// settings say how much is measured.
type settings struct {
	rounds    int
	budget    time.Duration  // of the whole run: no round that would not end in it; 0: none
	slice     time.Duration  // per case and round, of single operations
	sustained time.Duration  // the same of sustained ones, without the drain
	hotRows   int            // rows of the tables hot and plain
	largeRows int            // rows of the table large
	run       *regexp.Regexp // cases by name; nil: all
}

var (
	quick = settings{rounds: 5, budget: 100 * time.Second, slice: 100 * time.Millisecond, sustained: 1200 * time.Millisecond,
		hotRows: 10_000, largeRows: 200_000}
	thorough = settings{rounds: 11, slice: 500 * time.Millisecond, sustained: 4 * time.Second,
		hotRows: 10_000, largeRows: 500_000}
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	s, err := parseFlags(os.Args[1:], os.Stderr)
	if err == nil {
		err = run(ctx, s, os.Stdout, os.Stderr)
	}
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parseFlags(args []string, stderr io.Writer) (settings, error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	short := f.Bool("quick", false, "fewer and shorter rounds, under two minutes in all")
	rounds := f.Int("rounds", 0, "`number` of rounds (default 11; 5 with -quick)")
	pattern := f.String("run", "", "measure only cases operation/subject/goroutines that match this `regexp`")
	if err := f.Parse(args); err != nil {
		return settings{}, err
	}
	s := thorough
	if *short {
		s = quick
	}
	switch {
	case f.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case *rounds < 0:
		return s, errors.New("-rounds has to be positive")
	case *rounds > 0:
		s.rounds, s.budget = *rounds, 0
	}
	if *pattern != "" {
		var err error
		if s.run, err = regexp.Compile(*pattern); err != nil {
			return s, fmt.Errorf("-run: %w", err)
		}
	}
	return s, nil
}

// run measures and reports. It fails if a subject fails, or says it did what
// it did not.
func run(ctx context.Context, s settings, stdout, stderr io.Writer) (err error) {
	start := time.Now()
	cases := selectCases(operations(s), subjects(), s.run)
	if len(cases) == 0 {
		return errors.New("no case matches -run")
	}
	e, err := newEnvironment(ctx, cases)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	r, rounds, err := measure(ctx, cases, e, s, start, stderr)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "PostgreSQL %s, %d rounds; median (lowest..highest)\n%s\n%s",
		e.version, rounds, table(cases, r), ratioLines(r))
	return err
}
