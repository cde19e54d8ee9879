package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// benchCase is one operation on one subject with one number of goroutines.
type benchCase struct {
	operation  Operation
	subject    Subject
	goroutines int
}

func (c benchCase) name() string {
	return caseName(c.operation.About().name, c.subject.Name, c.goroutines)
}

func caseName(operation, subject string, goroutines int) string {
	return operation + "/" + subject + "/" + strconv.Itoa(goroutines)
}

// results holds the samples of every case, one per round, by its name.
type results map[string][]sample

// selectCases combines operations and subjects: operation by operation, number
// of goroutines by number of goroutines, the subjects next to each other.
func selectCases(su suite, s settings) []benchCase {
	needed := neededByRatios()
	var cases []benchCase
	for _, o := range su.operations {
		for _, g := range o.About().goroutines {
			for _, subject := range o.About().subjects {
				c := benchCase{o, subject, g}
				if s.only != nil && !s.only.MatchString(c.name()) || s.quick && !needed[c.name()] {
					continue
				}
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// measured is a suite with the cases of it that are measured.
type measured struct {
	suite
	cases []benchCase
}

func selectSuites(s settings) (selected []measured) {
	for _, su := range suites(s) {
		if cases := selectCases(su, s); len(cases) > 0 {
			selected = append(selected, measured{su, cases})
		}
	}
	return selected
}

// measureSuite measures every case of a suite once a round. The budget counts from
// start.
func measureSuite(ctx context.Context, server *pgtest.Server, m measured, s settings, start time.Time, r results) (err error) {
	e, err := newEnvironment(ctx, server, m)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	for round := range s.roundsOf(m.suite) {
		if round > 0 && s.budget > 0 && time.Since(start) > s.budget {
			break
		}
		for _, c := range m.cases {
			x, err := measureOnce(ctx, c, e.sessions[c.subject.Name])
			if err != nil {
				return fmt.Errorf("%s: %w", c.name(), err)
			}
			r[c.name()] = append(r[c.name()], x)
		}
	}
	return nil
}

// measureOnce measures a case. What a subject still has to do afterwards is waited
// for, so that it does not slow the next one.
func measureOnce(ctx context.Context, c benchCase, s *session) (sample, error) {
	if err := s.connect(ctx, c.goroutines); err != nil {
		return sample{}, fmt.Errorf("connect: %w", err)
	}
	if err := c.operation.Prepare(ctx, s, c.goroutines); err != nil {
		return sample{}, fmt.Errorf("prepare: %w", err)
	}
	runtime.GC()
	x, err := c.operation.Measure(ctx, s, c.goroutines)
	if err != nil {
		return sample{}, err
	}
	if err := s.Settle(ctx); err != nil {
		return sample{}, fmt.Errorf("settle: %w", err)
	}
	if err := c.operation.Check(ctx, s); err != nil {
		return sample{}, fmt.Errorf("check: %w", err)
	}
	return x, nil
}
