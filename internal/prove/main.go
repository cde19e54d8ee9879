// Command prove tests a driver against the plain one: it makes up histories of
// an application, on one connection or on several, lets each be lived through
// both drivers on databases of one server, and compares everything the
// application can see, whether it has to wait included. A difference is cut down
// to a short history and printed as a Go test.
//
//	go run ./internal/prove -statements 100000 -seed 1
//
// The exit code is 1 if there was a difference, 2 if the run itself failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"time"
)

func main() {
	var o options
	flag.IntVar(&o.statements, "statements", 10_000, "number of statements to run")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "seed of the histories; default from the clock")
	flag.IntVar(&o.length, "length", 300, "statements per history")
	flag.IntVar(&o.only, "only", -1, "run only the history with this index")
	flag.IntVar(&o.most, "most", 5, "stop after this many divergences")
	flag.BoolVar(&o.shrink, "shrink", true, "cut divergences down")
	flag.DurationVar(&o.shrinkFor, "shrink-for", time.Minute, "longest time to spend on cutting down one divergence")
	flag.StringVar(&o.driver, "driver", "writebehind", "name of the driver under test")
	flag.IntVar(&o.parallel, "parallel", runtime.GOMAXPROCS(0), "number of histories run at a time; default the number of cores")
	logs := flag.Bool("log", false, "show what the driver under test logs")
	flag.Parse()
	if !*logs {
		slog.SetDefault(slog.New(slog.DiscardHandler))
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	divergences, err := proveAll(ctx, os.Stdout, o)
	stop()
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "prove: interrupted")
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(2)
	case divergences > 0:
		os.Exit(1)
	}
}
