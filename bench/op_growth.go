package main

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"
)

// growth is a keyed read and a keyed write in turn, while something is large: the
// number of pending rows, of opted-in tables, or of distinct SQL texts.
type growth struct {
	about
	rows    int // of the table, or of each table
	pending int
	tables  int
	texts   int
	slice   time.Duration
}

func (o growth) names() []string {
	if o.tables == 0 {
		return []string{"large"}
	}
	names := make([]string, o.tables)
	for i := range names {
		names[i] = "grown" + strconv.Itoa(i)
	}
	return names
}

func (o growth) Setup(ctx context.Context, plain *sql.DB) error {
	for _, name := range o.names() {
		if err := makeTable(ctx, plain, name, o.rows); err != nil {
			return err
		}
	}
	return nil
}

// Prepare leaves as many rows pending as are asked for.
func (o growth) Prepare(ctx context.Context, s *session, _ int) error {
	for _, name := range o.names() {
		if err := warm(ctx, s, name, o.rows); err != nil {
			return err
		}
	}
	r, base := s.Table("large"), s.base()
	if o.pending == 0 {
		return nil
	}
	for i := range int64(o.pending) {
		if err := r.Set(context.WithoutCancel(ctx), i+1, base+i); err != nil {
			return err
		}
		s.model("large", o.rows)[i+1] = base + i
	}
	return nil
}

func (o growth) Takes() time.Duration { return time.Second + o.slice }

func (o growth) Measure(ctx context.Context, s *session, _ int) (sample, error) {
	var sources []rows
	for _, name := range o.names() {
		for text := range max(o.texts, 1) {
			prefix := ""
			if o.texts > 0 {
				prefix = fmt.Sprintf("/* %d */ ", text)
			}
			sources = append(sources, newSQLRows(s.DB(), name, prefix))
		}
	}
	count := o.rows
	if o.pending > 0 {
		count = o.pending
	}
	return loop(ctx, 1, o.slice, func(ctx context.Context, w int, i int64) error {
		r := sources[i/2%int64(len(sources))]
		if i%2 == 0 {
			return r.Read(ctx, spread(w, i, count))
		}
		return r.Add(ctx, spread(w, i, count), 1)
	})
}

func (o growth) Check(ctx context.Context, s *session) error {
	return s.checkModel(ctx, "large")
}
