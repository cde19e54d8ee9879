// Command bench measures writebehind beside its rivals, prints medians with their
// spread, and ends in one line per ratio that matters:
//
//	go run . -quick                        # what the ratios are made of
//	go run . -results .                    # all, into RESULTS.md and plots/
//	go run . -only '^read/' -rounds 20     # some cases; -cpuprofile shows where time goes
//
// It starts a PostgreSQL server of its own with fsync on (or uses the one that
// PGTEST_DSN names). A subject (subject.go) is a way to reach PostgreSQL with its
// settings, an operation (operation.go) is what is done with it, a suite (suite.go) is
// operations that are measured together: each round measures each of its cases once,
// subject after subject, so that whatever slows the machine for a while slows all of
// them. Every subject has a database of its own in each suite. Ratios (ratio.go) are
// taken within a round, and their median is reported. A run fails if a database does
// not hold, in the end, what was acknowledged; never because something is slow.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if childWanted() {
		os.Exit(runChild())
	}
	slog.SetLogLoggerLevel(slog.LevelWarn)
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

// run measures and reports. It fails if a subject fails, or says it did what
// it did not.
func run(ctx context.Context, s settings, stdout, stderr io.Writer) (err error) {
	start := time.Now()
	server, err := startServer(ctx, s.durable)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	report := report{settings: s, results: results{}}
	if report.machine, err = lookAround(ctx, server); err != nil {
		return err
	}
	if report.suites = selectSuites(s); len(report.suites) == 0 {
		return errors.New("no case matches -only")
	}
	fmt.Fprintf(stderr, "some %.0f minutes\n", math.Ceil(s.estimate(report.suites).Minutes()))
	profiled, err := profile(s.profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, profiled()) }()
	for _, m := range report.suites {
		if err := measureSuite(ctx, server, m, s, start, report.results); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		fmt.Fprintf(stderr, "%s: %d cases, %.0f s\n", m.name, len(m.cases), time.Since(start).Seconds())
	}
	report.took = time.Since(start)
	if s.results != "" {
		if err := report.write(s.results); err != nil {
			return err
		}
	}
	_, err = io.WriteString(stdout, report.text())
	return err
}
