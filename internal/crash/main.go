// Command crash is the crash laboratory. A child process works through the shim
// and reports every acknowledgement; the laboratory kills it, kills PostgreSQL,
// spoils the network between the two, and compares what PostgreSQL holds with what
// was acknowledged.
//
//	go run ./internal/crash -cycles 200 -seed 1
//
// The exit code is 1 if anything was lost, duplicated, reordered or wrong, 2 if the
// run itself failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/writebehind/writebehind/internal/crash/child"
)

func main() {
	if os.Getenv(child.Env) != "" {
		os.Exit(child.Main())
	}
	os.Exit(laboratory())
}

func laboratory() int {
	var o options
	flag.IntVar(&o.cycles, "cycles", 20, "cycles in each mode")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "seed of the load and of the faults; default from the clock")
	modes := flag.String("modes", "child,server,both,network,power", "what is broken")
	syncs := flag.String("sync", "on,off", "values of writebehind.sync, each with every mode")
	flag.BoolVar(&o.none, "none", false, "also with writebehind.journal=none, where only a prefix is promised")
	flag.IntVar(&o.workers, "workers", 6, "goroutines of the child")
	flag.BoolVar(&o.repeat, "repeat", false, "let database/sql repeat direct statements whose connection is lost, which it does also when they were sent; "+
		"the server may execute them twice then, with lib/pq alone as well")
	flag.BoolVar(&o.keep, "keep", false, "leave the journals there")
	flag.BoolVar(&o.verbose, "v", false, "tell of each cycle")
	flag.Parse()
	for name := range strings.SplitSeq(*modes, ",") {
		m, ok := modeNamed(name)
		if !ok {
			fmt.Fprintf(os.Stderr, "crash: there is no mode %q\n", name)
			return 2
		}
		o.modes = append(o.modes, m)
	}
	for word := range strings.SplitSeq(*syncs, ",") {
		switch word {
		case "":
		case "on", "off":
			o.syncs = append(o.syncs, word)
		default:
			fmt.Fprintf(os.Stderr, "crash: sync is on or off, not %q\n", word)
			return 2
		}
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fine, err := run(ctx, os.Stdout, o)
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "crash: interrupted")
		return 2
	case err != nil:
		fmt.Fprintln(os.Stderr, "crash:", err)
		return 2
	case !fine:
		return 1
	}
	return 0
}
