package main

import "github.com/writebehind/writebehind"

// batches are rows per transaction, by subject, as each has flushed last.
type batches map[string]int

func (b batches) set(s *session, size int) {
	if b != nil {
		b[s.subject.Name] = size
	}
}

// of returns what a subject has done last, and 10,000 if it has not been measured.
func (b batches) of(subject string) int {
	if size := b[subject]; size > 0 {
		return size
	}
	return 10_000
}

// flushed is what a subject has flushed so far.
type flushed struct{ rows, transactions uint64 }

// flushedBy asks writebehind; others flush nothing.
func flushedBy(s *session) (flushed, error) {
	if _, ok := s.client.(shimClient); !ok {
		return flushed{}, nil
	}
	st, err := writebehind.Stats(s.DB())
	return flushed{st.FlushedRows, st.Flushes}, err
}

// since returns the rows per transaction since then, rounded up; 0 if there was none.
func (f flushed) since(before flushed) int {
	n := f.transactions - before.transactions
	if n == 0 {
		return 0
	}
	return int((f.rows - before.rows + n - 1) / n)
}
