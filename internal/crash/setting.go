package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	_ "github.com/lib/pq" // past the shim

	"github.com/writebehind/writebehind/internal/crash/child"
	"github.com/writebehind/writebehind/internal/crash/ledger"
	"github.com/writebehind/writebehind/internal/crash/load"
	"github.com/writebehind/writebehind/internal/crash/proxy"
	"github.com/writebehind/writebehind/internal/pgtest"
)

// setting is one mode with one journal: a database, a proxy before the server,
// and a child that comes and goes.
type setting struct {
	out     io.Writer
	options options
	server  *pgtest.Server
	name    string  // of the database
	past    *sql.DB // leads to it past shim and proxy
	proxy   *proxy.Proxy
	watch   *watch
	child   *process // the present one, nil without
	journal string   // its directory
	power   *child.Power

	row   row
	told  int  // findings printed
	lossy bool // something may be gone since the last full check
}

func newSetting(ctx context.Context, out io.Writer, o options, server *pgtest.Server, journals string, k kind) (_ *setting, err error) {
	s := &setting{
		out: out, options: o, server: server,
		name:    "crash_" + k.mode.name + "_" + string(k.journal),
		watch:   newWatch(ledger.New(o.workers, load.Counters())),
		journal: filepath.Join(journals, k.mode.name+"-"+string(k.journal)),
		row:     row{kind: k},
	}
	if k.mode.power {
		s.power = &child.Power{Trash: s.journal + "-trash"}
	}
	if err := server.AddDatabase(ctx, s.name); err != nil {
		return nil, err
	}
	if s.past, err = sql.Open("postgres", server.DSN(s.name, "application_name=crash-laboratory")); err != nil {
		return nil, err
	}
	s.past.SetMaxIdleConns(0) // the server is killed beneath them
	if _, err := s.past.ExecContext(ctx, load.Schema); err != nil {
		return nil, errors.Join(err, s.past.Close())
	}
	if s.proxy, err = proxy.Start(ctx, "127.0.0.1:"+strconv.Itoa(server.Port())); err != nil {
		return nil, errors.Join(err, s.past.Close())
	}
	return s, nil
}

func (s *setting) close() error {
	if s.child != nil {
		s.child.kill()
	}
	return errors.Join(s.proxy.Close(), s.past.Close())
}

// run runs the cycles.
func (s *setting) run(ctx context.Context) error {
	began := time.Now()
	defer func() {
		s.row.took = time.Since(began)
		s.watch.mu.Lock()
		defer s.watch.mu.Unlock()
		for _, answer := range slices.Sorted(maps.Keys(s.watch.answers)) {
			s.say("answered %d times: %s", s.watch.answers[answer], answer)
		}
		s.row.acked, s.row.groups, s.row.unknown = s.watch.ledger.Acked, s.watch.ledger.Groups, s.watch.ledger.Unknown
	}()
	for s.row.cycles < s.options.cycles {
		// Each cycle has numbers of its own, whatever the ones before have drawn.
		rng := rand.New(rand.NewPCG(s.options.seed, uint64(s.row.cycles))) //nolint:gosec // it is to be repeatable
		if err := s.cycle(ctx, rng); err != nil {
			return err
		}
		s.row.cycles++
	}
	return nil
}

// start starts a child that goes on from what is known.
func (s *setting) start(ctx context.Context, rng *rand.Rand, drain bool) (err error) {
	c := child.Config{Drain: drain, Seed: rng.Uint64(), DSN: s.dsn(rng), Power: s.power, Held: !s.options.repeat}
	// Direct statements keep the shim from deferring: some children do without.
	c.Direct = []int{0, 5, 30, 100}[rng.IntN(4)]
	if s.power != nil {
		s.power.Seed = rng.Uint64()
	}
	s.watch.mu.Lock()
	for w := range s.options.workers {
		worker := child.Worker{Seq: s.watch.ledger.Next(w)}
		for k, state := range s.watch.ledger.Owned(w) {
			worker.Rows = append(worker.Rows, load.Row{Key: k, State: state})
		}
		c.Workers = append(c.Workers, worker)
	}
	s.watch.mu.Unlock()
	began := time.Now()
	s.child, err = startProcess(ctx, s.watch, s.options.program, c)
	if err != nil {
		return fmt.Errorf("start a child: %w", err)
	}
	s.say("a child is ready after %s", time.Since(began).Round(time.Millisecond))
	return nil
}

// dsn is the child's, through the proxy.
func (s *setting) dsn(rng *rand.Rand) string {
	delays := []string{"1ms", "10ms", "50ms", "200ms"}
	transactions := []string{"direct", "buffer"}
	parameters := append(portParameters(s.proxy.Port()),
		"application_name=crash-child",
		"connect_timeout=5",
		"writebehind.tables="+load.Tables,
		"writebehind.transactions="+transactions[rng.IntN(len(transactions))],
		"writebehind.max_delay="+delays[rng.IntN(len(delays))],
		"writebehind.close_timeout=30s",
	)
	return s.server.DSN(s.name, append(parameters, s.row.journal.parameters(s.journal)...)...)
}

func (s *setting) say(format string, args ...any) {
	if s.options.verbose {
		fmt.Fprintf(s.out, "%s, %s, cycle %d: %s\n", s.row.mode.name, s.row.journal, s.row.cycles+1, fmt.Sprintf(format, args...))
	}
}
