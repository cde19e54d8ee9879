package queue

import (
	"context"
	"database/sql"
	"encoding/binary"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// standstill is a queue that never flushes by itself.
func standstill(tb testing.TB) *Queue {
	tb.Helper()
	db := sql.OpenDB(newServer())
	q := Open(Options{
		DB: db, Location: time.UTC, Observer: &deaf{}, Logger: slog.New(slog.DiscardHandler),
		MaxDelay: time.Hour, BatchRows: 1 << 30, MaxRows: 1 << 40, MaxBytes: 1 << 50, Block: true,
	})
	q.Run()
	tb.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = q.Close(ctx) // what is pending is of no use
		require.NoError(tb, db.Close())
	})
	return q
}

// deaf is an Observer that does nothing.
type deaf struct{ Observer }

func (*deaf) Accepted(uint64) {}

func numbered(buf []byte, n int) (key []byte, hash uint64) {
	key = binary.BigEndian.AppendUint64(buf[:0], uint64(n))
	return key, uint64(n) * 0x9e3779b97f4a7c15
}

func TestCommitOfAnUpdateAllocatesNothing(t *testing.T) {
	q := standstill(t)
	key, hash := numbered(nil, 1)
	for _, m := range []Mutation{
		{Shape: q.Shape(items, Update, []int{2})},
		{Shape: q.Shape(items, Update, nil, 2), Deltas: image(1)},
		{Shape: q.Shape(items, Update, []int{1}, 2), Deltas: image(1)},
	} {
		m.Key, m.Hash, m.Image = key, hash, image(1, "name", 1)
		ctx := t.Context()
		var v Validator = holding(true)
		commit := func() {
			if _, ok, err := q.Commit(ctx, v, 1, m); !ok || err != nil {
				panic("not committed")
			}
		}
		commit()
		require.LessOrEqual(t, testing.AllocsPerRun(1000, commit), 0.0, "%v %v", m.Shape.Set, m.Shape.Add)
	}
}

func TestGetAllocatesNothing(t *testing.T) {
	q := standstill(t)
	key, hash := numbered(nil, 1)
	_, ok, err := q.Commit(t.Context(), holding(true), 1, Mutation{Shape: q.Shape(items, Insert, nil), Key: key, Hash: hash, Image: image(1, "name", 1)})
	require.NoError(t, err)
	require.True(t, ok)
	dst := make([]byte, 0, 100)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if _, state := q.Get(dst, key, hash, 1); state != Present {
			panic("not there")
		}
	}))
}

func BenchmarkMemtableApply(b *testing.B) {
	q := standstill(b)
	for name, rows := range map[string]int{"one row": 1, "10000 rows": 10_000} {
		for _, shape := range []*Shape{q.Shape(items, Update, []int{2}), q.Shape(items, Update, nil, 2)} {
			does, delta := "set", []byte(nil)
			if shape.deltas() > 0 {
				does, delta = "add", image(1)
			}
			b.Run(name+" "+does, func(b *testing.B) {
				row := image(1, "name", 1)
				var m *memtable
				var key []byte
				var hash uint64
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if i%100_000 == 0 {
						m = newMemtable(rows)
					}
					key, hash = numbered(key, i%rows)
					m.apply(&q.shapes, LSN(i), &Mutation{Shape: shape, Key: key, Hash: hash, Image: row, Deltas: delta})
				}
			})
		}
	}
}

func BenchmarkMemtableGet(b *testing.B) {
	q := standstill(b)
	m := newMemtable(0)
	const rows = 10_000
	row := image(1, "name", 1)
	var key, dst []byte
	var hash uint64
	for i := range rows {
		key, hash = numbered(key, i)
		m.apply(&q.shapes, LSN(i), &Mutation{Shape: q.Shape(items, Insert, nil), Key: key, Hash: hash, Image: row})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		key, hash = numbered(key, i%rows)
		dst, _ = m.get(dst[:0], key, hash, 0)
	}
}

func BenchmarkCommit(b *testing.B) {
	q := standstill(b)
	shape := q.Shape(items, Update, []int{2})
	row := image(1, "name", 1)
	var v Validator = holding(true)
	const rows = 10_000
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var key []byte
		var hash uint64
		for i := 0; pb.Next(); i++ {
			key, hash = numbered(key, i%rows)
			if _, ok, err := q.Commit(b.Context(), v, 1, Mutation{Shape: shape, Key: key, Hash: hash, Image: row}); !ok || err != nil {
				b.Error(ok, err)
			}
		}
	})
}
