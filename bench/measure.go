package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"time"
)

// benchCase is one operation on one subject with one number of goroutines.
type benchCase struct {
	operation  Operation
	subject    Subject
	goroutines int
}

func (c benchCase) name() string { return caseName(c.operation.Name(), c.subject.Name(), c.goroutines) }

func caseName(operation, subject string, goroutines int) string {
	return fmt.Sprintf("%s/%s/%d", operation, subject, goroutines)
}

// results holds the samples of every case, one per round, by its name.
type results map[string][]sample

// selectCases combines operations and subjects: operation by operation, number
// of goroutines by number of goroutines, the subjects next to each other.
func selectCases(ops []Operation, subjects []Subject, pattern *regexp.Regexp) []benchCase {
	var cases []benchCase
	for _, o := range ops {
		for _, g := range o.Goroutines() {
			for _, s := range subjects {
				c := benchCase{o, s, g}
				if slices.Contains(o.Subjects(), s.Name()) && (pattern == nil || pattern.MatchString(c.name())) {
					cases = append(cases, c)
				}
			}
		}
	}
	return cases
}

// measure measures every case once a round. What a subject still has to do
// after a measurement is waited for, so that it does not slow the next one. It
// returns the number of rounds that were complete within the budget, which
// counts from start.
func measure(ctx context.Context, cases []benchCase, e *environment, set settings, start time.Time, progress io.Writer) (results, int, error) {
	r := results{}
	for round := 1; ; round++ {
		began := time.Now()
		for _, c := range cases {
			s := e.sessions[c.subject.Name()]
			x, err := measureOnce(ctx, c, s)
			if err != nil {
				return nil, 0, fmt.Errorf("%s: %w", c.name(), err)
			}
			r[c.name()] = append(r[c.name()], x)
		}
		_, _ = fmt.Fprintf(progress, "round %d of %d, %.0f s\n", round, set.rounds, time.Since(start).Seconds())
		next := time.Since(start) + time.Since(began)
		if round >= set.rounds || set.budget > 0 && next > set.budget {
			return r, round, nil
		}
	}
}

func measureOnce(ctx context.Context, c benchCase, s *session) (sample, error) {
	if err := c.operation.Prepare(ctx, s); err != nil {
		return sample{}, fmt.Errorf("prepare: %w", err)
	}
	runtime.GC()
	x, err := c.operation.Measure(ctx, s, c.goroutines)
	if err != nil {
		return sample{}, err
	}
	if err := s.Settle(ctx, s.db); err != nil {
		return sample{}, fmt.Errorf("settle: %w", err)
	}
	return x, nil
}
