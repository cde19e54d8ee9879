// Package linear records what many goroutines do to a few rows, and checks
// afterwards that it can have been so.
//
//   - registers: single rows, by every kind of statement, in transactions too. The
//     history of each row must be linearizable, answers included
//     (github.com/anishathalye/porcupine). A transaction is one operation on each row
//     that it holds locked, between its first statement and the end of its COMMIT.
//   - pairs: rows that one transaction writes with equal values are read equal by one
//     statement, always.
//   - counts: no increment and no update that checks a version is lost.
//   - marks: each goroutine sees what it wrote, and PostgreSQL, looked at past the
//     driver in one snapshot, holds a state that the acknowledgements passed through:
//     each goroutine's writes up to some point, and with a write all those that were
//     acknowledged before it began.
//
// The package serves any driver of database/sql; its own test plants mistakes in
// lib/pq to see that each check can fail.
package linear
