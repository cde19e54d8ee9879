// Command storefront runs a small shop once on the driver postgres and then on
// writebehind, with a journal that is synced, with one that is not, and without
// one, and prints what changed: how many operations a second
// its shoppers got done, how long they waited for each kind, and how many
// transactions PostgreSQL had to commit. Then it looks through a plain
// connection whether everything that was acknowledged is there, down to the
// last order, and says so in its last line: verified.
//
//	go run ./examples/storefront
//	go run ./examples/storefront -dsn 'postgres://me@localhost/test' -seconds 30
//
// Without -dsn it starts a PostgreSQL server of its own, with fsync on, and
// removes it at the end. With -dsn it creates a schema for each run in that database
// and drops them; it touches nothing else there.
//
// The shop itself is in the package shop and knows database/sql only.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	_ "github.com/lib/pq" // the driver postgres

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/pgtest"
)

type config struct {
	dsn      string
	seconds  float64
	shoppers int
	products int
	journals []journal
	parent   string // directory in which journals are made, and removed

	checkOuts    int    // in percent
	transactions string // writebehind.transactions
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "storefront:", err)
		os.Exit(1)
	}
}

func parseFlags(args []string, stderr io.Writer) (config, error) {
	var c config
	f := flag.NewFlagSet("storefront", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&c.dsn, "dsn", "", "`DSN` of a server of your own; none: a throwaway server is started")
	f.Float64Var(&c.seconds, "seconds", 8, "how long to shop on each side, in `seconds`")
	f.IntVar(&c.shoppers, "shoppers", 64, "`number` of shoppers at the same time")
	f.IntVar(&c.products, "products", 1000, "`number` of products")
	journals := f.String("journals", "on,off,none", "journals to run writebehind with, a `list`: on and off are values of writebehind.sync, none is without")
	f.StringVar(&c.parent, "dir", os.TempDir(), "local `directory` in which the journals are made, and removed")
	f.IntVar(&c.checkOuts, "checkouts", 5, "`percent` of what a shopper does that are orders in one transaction, up to 15")
	f.StringVar(&c.transactions, "transactions", "buffer", "`value` of writebehind.transactions: direct or buffer")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if f.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if c.seconds <= 0 || c.shoppers < 1 || c.products < 2 {
		return c, errors.New("-seconds and -shoppers have to be positive, -products at least 2")
	}
	if c.checkOuts < 0 || c.checkOuts > 15 {
		return c, errors.New("-checkouts has to be from 0 to 15")
	}
	for word := range strings.SplitSeq(*journals, ",") {
		switch j := journal(word); j {
		case synced, unsynced, none:
			c.journals = append(c.journals, j)
		default:
			return c, fmt.Errorf("-journals: there is no %q", word)
		}
	}
	return c, nil
}

// run is main without the process: it returns nil if everything was verified.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	c, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	where := "your server"
	if c.dsn == "" {
		where = "a server of its own with fsync on"
		server, err := pgtest.Start(ctx, pgtest.WithFsync())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Close()) }()
		c.dsn = server.DSN("postgres")
	}
	admin, err := sql.Open("postgres", c.dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	admin.SetMaxOpenConns(1)
	var version string
	if err := admin.QueryRowContext(ctx, "SHOW server_version").Scan(&version); err != nil {
		return fmt.Errorf("connect: %w", err)
	}

	journals, err := os.MkdirTemp(c.parent, "storefront-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(journals)) }()

	token := fmt.Sprintf("%08x", rand.Uint32())
	plain, err := newSide(ctx, admin, c.dsn, "postgres", "plain_"+token, c.products)
	if err != nil {
		return err
	}
	sides := []*side{plain}
	defer func() {
		for _, s := range sides {
			err = errors.Join(err, s.drop(ctx, admin))
		}
	}()
	for _, j := range c.journals {
		ours, err := newSide(ctx, admin, c.dsn, "writebehind", string(j)+"_"+token, c.products, append(j.params(journals),
			param{"writebehind.tables", "products,cart_items,orders,order_lines"},
			// To check out is one transaction, of writes that can be deferred.
			param{"writebehind.transactions", c.transactions},
			// An order's key is a random UUID that the shop has just made: that no
			// order has it, nor lines of it, is certain without a look-up, which is
			// all that "check" would add.
			param{"writebehind.insert.orders", "trust"},
			param{"writebehind.insert.order_lines", "trust"})...)
		if err != nil {
			return err
		}
		ours.name, ours.settle = j.String(), settle
		sides = append(sides, ours)
	}
	return compare(ctx, c, fmt.Sprintf("PostgreSQL %s, %s", version, where), admin, sides, stdout, stderr)
}

// settle notes how many transactions needed PostgreSQL and brings all writes there.
// Close does that too, within a time limit; Flush waits as long as ctx allows.
func settle(ctx context.Context, db *sql.DB, r *result) error {
	st, err := writebehind.Stats(db)
	r.buffered, r.madeReal = st.Buffered, st.MadeReal
	return errors.Join(err, writebehind.Flush(ctx, db))
}

// compare runs all sides, the plain one first, prints the report and verifies.
func compare(ctx context.Context, c config, where string, admin *sql.DB, sides []*side, stdout, stderr io.Writer) error {
	d := time.Duration(c.seconds * float64(time.Second))
	_, err := fmt.Fprintf(stdout, "storefront: %s shoppers, %s products, %s per run, %d %% orders in a transaction (%s)\n%s\n\n",
		grouped(int64(c.shoppers)), grouped(int64(c.products)), d, c.checkOuts, c.transactions, where)
	if err != nil {
		return err
	}
	bar := progress{w: stderr, terminal: isTerminal(stderr)}
	var results []*result
	var wrong []string
	for _, s := range sides {
		s.checkOuts = c.checkOuts
		r, ledgers, err := s.rush(ctx, admin, c.shoppers, d, bar)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		results = append(results, r)
		differences, err := s.verify(ctx, ledgers)
		if err != nil {
			return fmt.Errorf("%s: verify: %w", s.name, err)
		}
		for _, w := range differences {
			wrong = append(wrong, s.name+": "+w)
		}
	}
	_, err = fmt.Fprintf(stdout, "%s\n%s\n", report(results[0], results[1:]...), verdict(wrong))
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("%d differences between what was acknowledged and what is there", len(wrong))
	}
	return err
}

// verdict names the first differences, or says that there are none.
func verdict(wrong []string) string {
	const shown = 10
	if len(wrong) == 0 {
		return "verified"
	}
	return "wrong: " + strings.Join(wrong[:min(shown, len(wrong))], "\nwrong: ")
}
