package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	// skipped are the tests that need a server set up for SSL or for passwords,
	// and the examples.
	skipped = "^(TestSSL|TestAuth|Example)"

	// attempts is how often a test runs that does not pass. Some of the suite's
	// tests wait for a fixed time, too short on a busy machine, and one that
	// panics takes the rest of its package along.
	attempts = 3
)

// result is how one top-level test ended.
type result struct {
	outcome  string // "pass", "fail", "skip", or "none" if it did not end
	attempts int
	output   string // of the last attempt, subtests included
}

// results maps package.Test to how it ended.
type results map[string]result

func (r results) passed() int {
	n := 0
	for _, res := range r {
		if res.outcome == "pass" {
			n++
		}
	}
	return n
}

// again counts the tests that passed, but not at once.
func (r results) again() int {
	n := 0
	for _, res := range r {
		if res.outcome == "pass" && res.attempts > 1 {
			n++
		}
	}
	return n
}

// run runs the suite in one mode, each test until it passes, at most attempts
// times.
func (s *suite) run(ctx context.Context, m mode, tests string) (results, error) {
	all := results{}
	skip := skipped
	for n := range attempts {
		if err := s.server.DropDatabase(ctx, suiteUser); err != nil {
			return nil, err
		}
		if err := s.server.AddDatabase(ctx, suiteUser); err != nil {
			return nil, err
		}
		got, err := s.goTest(ctx, m, tests, skip)
		if err != nil {
			return nil, err
		}
		for name, res := range got {
			res.attempts = n + 1
			all[name] = res
		}
		settled, unsettled := all.settled()
		if unsettled == 0 {
			break
		}
		// Not only what failed: what a panic kept from starting is unknown here.
		skip = skipped + "|^(" + strings.Join(settled, "|") + ")$"
	}
	if len(all) == 0 {
		return nil, errors.New("no test ran")
	}
	return all, nil
}

// settled returns the names, without package, of the tests that need not run
// again, and how many must.
func (r results) settled() (names []string, unsettled int) {
	done := map[string]bool{}
	for name, res := range r {
		test := name[strings.LastIndexByte(name, '.')+1:]
		ok := res.outcome == "pass" || res.outcome == "skip"
		if !ok {
			unsettled++
		}
		if before, seen := done[test]; seen && !before {
			ok = false // the same name in another package
		}
		done[test] = ok
	}
	for _, test := range slices.Sorted(maps.Keys(done)) {
		if done[test] {
			names = append(names, regexp.QuoteMeta(test))
		}
	}
	return names, unsettled
}

// goTest runs the suite once.
func (s *suite) goTest(ctx context.Context, m mode, tests, skip string) (results, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-p=1", "-timeout=10m",
		"-skip="+skip, "-run="+tests, "./...")
	cmd.Dir = s.changed()
	work := s.workFile()
	if m.plain {
		cmd.Dir, work = s.plain(), "off"
	}
	cmd.Env = append(environ(), "GOWORK="+work, "GOFLAGS=", envParams+"="+m.params,
		"PGPORT="+strconv.Itoa(s.server.Port()),
		"PQTEST_BINARY_PARAMETERS="+strconv.FormatBool(m.binary))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// Its exit code says no more than the events do, unless there are none.
	exit := cmd.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	got, err := parse(&stdout)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, &stderr)
	}
	if exit != nil && len(got) == 0 {
		return nil, fmt.Errorf("go test: %w\n%s", exit, &stderr)
	}
	return got, nil
}

// environ is our environment without what would steer the suite: it has its own
// defaults (role and database pqgo on localhost, no SSL).
func environ() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "PG") || strings.HasPrefix(kv, "PQ")
	})
}

// event is one line of go test -json.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// parse reads what go test -json prints. A package that does not build is an
// error.
func parse(r io.Reader) (results, error) {
	got := results{}
	output := map[string]*strings.Builder{}
	var build strings.Builder
	broken := false
	for dec := json.NewDecoder(r); ; {
		var e event
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go test -json: %w", err)
		}
		top, _, sub := strings.Cut(e.Test, "/")
		name := e.Package + "." + top
		switch e.Action {
		case "build-output":
			build.WriteString(e.Output)
		case "build-fail":
			broken = true
		case "run":
			if !sub && top != "" {
				got[name] = result{outcome: "none"}
				output[name] = &strings.Builder{}
			}
		case "output":
			if b := output[name]; b != nil {
				b.WriteString(e.Output)
			}
		case "pass", "fail", "skip":
			if !sub && top != "" {
				got[name] = result{outcome: e.Action}
			}
		}
	}
	if broken {
		return nil, fmt.Errorf("the suite does not build:\n%s", &build)
	}
	for name, res := range got {
		res.output = output[name].String()
		got[name] = res
	}
	return got, nil
}
