package main

import (
	"context"
	"sync"
	"time"
)

// followed is the newest answer to a question that is asked again and again,
// and that may be answered late while a fault lasts.
type followed[T any] struct {
	mu      sync.Mutex
	answer  T
	askedAt time.Time // zero before the first answer
}

// get returns the answer if the question was asked after a time.
func (f *followed[T]) get(after time.Time) (answer T, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.answer, f.askedAt.After(after)
}

// follow asks until ctx is done. An error is no answer: the last one gets old.
func (f *followed[T]) follow(ctx context.Context, every time.Duration, ask func(context.Context) (T, error)) {
	for pause(ctx, every) == nil {
		at := time.Now()
		bounded, cancel := context.WithTimeout(ctx, time.Second)
		answer, err := ask(bounded)
		cancel()
		if err != nil {
			continue
		}
		f.mu.Lock()
		f.answer, f.askedAt = answer, at
		f.mu.Unlock()
	}
}
