// Command soak runs the load of the storefront example through the shim for
// minutes or hours, while connections, the server and a table are made to fail,
// and tells whether anything that should stay as it is grows: memory, goroutines,
// file descriptors, the journal, what is pending, the server's backends. In the
// end it compares PostgreSQL with what was acknowledged.
//
//	go run ./internal/soak -minutes 10
//
// The first line has the seed of the faults. The last one is, if all is well,
//
//	soak: minutes 10 acknowledged 123456 lost 0 flat
//
// The exit code is 1 if anything grows, is lost, or is not as it must be, 2 if
// the run itself failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"time"
)

func main() { os.Exit(soak()) }

func soak() int {
	o := standard()
	minutes := flag.Float64("minutes", 10, "how long the load runs, in `minutes`")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "seed of the faults; default from the clock")
	flag.IntVar(&o.rate, "rate", o.rate, "what all shoppers together do in a second, as a `number`")
	flag.BoolVar(&o.verbose, "v", false, "tell of each fault")
	flag.Parse()
	if !o.verbose {
		// The shim tells of every fault, as it should.
		slog.SetDefault(slog.New(slog.DiscardHandler))
	}
	o.length = time.Duration(*minutes * float64(time.Minute))
	if o.length <= 0 || o.rate < o.shoppers || flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "soak: -minutes has to be positive, -rate at least %d, and there are no other arguments\n", o.shoppers)
		return 2
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := run(ctx, os.Stdout, o)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "soak:", err)
		return 2
	case !r.fine():
		return 1
	}
	return 0
}
