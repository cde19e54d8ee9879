package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"time"
)

// settings say how much is measured.
type settings struct {
	quick     bool           // only what the ratios are made of
	rounds    int            // of every suite; 0: as many as the suite itself says is enough
	budget    time.Duration  // from here on no suite begins another round after its first; 0: none
	durable   bool           // the server syncs what it commits
	slice     time.Duration  // per case and round, of single operations
	mix       time.Duration  // the same of mixes
	sustained time.Duration  // the same of sustained operations, without the drain
	hotRows   int            // rows of small tables
	ycsbRows  int            // rows of the table of the YCSB mixes
	largeRows int            // rows of large tables, and pending rows of the largest overlay
	texts     int            // largest number of distinct SQL texts
	tables    int            // largest number of opted-in tables
	only      *regexp.Regexp // cases by name; nil: all
	results   string         // directory for RESULTS.md and the plots; "": none
	profile   string         // file for a profile of the processor time; "": none
}

var (
	quick = settings{quick: true, durable: true, budget: 240 * time.Second, slice: 120 * time.Millisecond, mix: 600 * time.Millisecond, sustained: 1200 * time.Millisecond,
		hotRows: 10_000, ycsbRows: 20_000, largeRows: 1_000_000, texts: 100_000, tables: 100}
	thorough = settings{durable: true, rounds: 3, slice: 300 * time.Millisecond, mix: time.Second, sustained: 30 * time.Second,
		hotRows: 10_000, ycsbRows: 20_000, largeRows: 1_000_000, texts: 100_000, tables: 100}
)

func parseFlags(args []string, stderr io.Writer) (settings, error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	short := f.Bool("quick", false, "only what the ratios are made of, and shorter, in some four minutes")
	rounds := f.Int("rounds", 0, "`number` of rounds (default 3; with -quick it depends on the suite)")
	scale := f.Float64("scale", 1, "`factor` on every measured time")
	sustained := f.Duration("sustained", 0, "`time` of a sustained measurement, its drain excluded (default 30s; 1.2s with -quick)")
	rows := f.Int("rows", 0, "`number` of rows of the large tables (default 1000000)")
	only := f.String("only", "", "measure only cases operation/subject/goroutines that match this `regexp`")
	results := f.String("results", "", "write RESULTS.md and plots into this `directory`")
	profile := f.String("cpuprofile", "", "write a profile of the processor time of the measurements into this `file`")
	if err := f.Parse(args); err != nil {
		return settings{}, err
	}
	s := thorough
	if *short {
		s = quick
	}
	s.results, s.profile = *results, *profile
	switch {
	case f.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case *rounds < 0 || *scale <= 0 || *sustained < 0 || *rows < 0:
		return s, errors.New("-rounds, -scale, -sustained and -rows have to be positive")
	}
	if *rounds > 0 {
		s.rounds, s.budget = *rounds, 0
	}
	if *rows > 0 {
		s.largeRows = max(*rows, 1000)
	}
	for _, d := range []*time.Duration{&s.slice, &s.mix, &s.sustained} {
		*d = time.Duration(float64(*d) * *scale)
	}
	if *sustained > 0 {
		s.sustained = *sustained
	}
	if *only != "" {
		var err error
		if s.only, err = regexp.Compile(*only); err != nil {
			return s, fmt.Errorf("-only: %w", err)
		}
	}
	return s, nil
}

// roundsOf is how often a suite is measured.
func (s settings) roundsOf(su suite) int {
	if s.rounds > 0 {
		return s.rounds
	}
	return su.quickRounds
}
