// Command conformance runs the test suite of lib/pq through the shim and
// compares what comes out with what the suite says of plain lib/pq.
//
// Usage:
//
//	go run ./internal/conformance [-run regexp] [-mode regexp] [-repo dir]
//
// The suite is copied out of the module cache, in the version that go.mod
// names. In the copy one line is changed: where the suite opens the database,
// it names another driver. Left out are its tests of SSL and of authentication,
// which need a server set up for them, and its examples, which name the driver
// themselves.
//
// Modes: "none" opts no table in, "all" opts every table in
// (writebehind.tables=* writebehind.journal=none); each also with
// binary_parameters=yes. The last line printed has, for each mode that ran, the
// number of top-level tests that passed through the shim and through plain
// lib/pq. The exit code is 1 if any test ended otherwise than with plain lib/pq.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	same, err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
	}
	if err != nil || !same {
		os.Exit(1)
	}
}

// run reports whether every test ended as with plain lib/pq.
func run(ctx context.Context, args []string, out io.Writer) (same bool, err error) {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	tests := flags.String("run", "", "only tests whose name matches this `regexp`")
	mode := flags.String("mode", "", "only modes whose name matches this `regexp`: none, none-binary, all, all-binary")
	repo := flags.String("repo", "", "the `directory` of the module under test (default: the main module)")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	wanted, err := regexp.Compile(*mode)
	if err != nil {
		return false, fmt.Errorf("-mode: %w", err)
	}

	s, err := newSuite(ctx, *repo)
	if err != nil {
		return false, err
	}
	defer func() { err = closeWith(err, s.close) }()

	var c comparison
	for _, binary := range []bool{false, true} {
		var plain results
		for _, m := range modes {
			if m.binary != binary || !wanted.MatchString(m.name) {
				continue
			}
			if plain == nil {
				fmt.Fprintf(os.Stderr, "conformance: plain lib/pq, binary_parameters=%t\n", binary)
				if plain, err = s.run(ctx, plainMode(binary), *tests); err != nil {
					return false, err
				}
			}
			fmt.Fprintf(os.Stderr, "conformance: %s\n", m.name)
			through, err := s.run(ctx, m, *tests)
			if err != nil {
				return false, err
			}
			c.add(m.name, plain, through)
		}
	}
	if len(c.rows) == 0 {
		return false, fmt.Errorf("no mode matches %q", *mode)
	}
	return c.print(out)
}
