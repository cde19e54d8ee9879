package load

import "github.com/writebehind/writebehind/internal/crash/record"

// Schema makes the tables of the workload. There is a foreign key between two,
// and no constraint that would have every INSERT go direct.
const Schema = `
CREATE TABLE accounts (id bigint PRIMARY KEY, n bigint NOT NULL, note text NOT NULL);
CREATE TABLE orders (id uuid PRIMARY KEY, account bigint REFERENCES accounts, v text NOT NULL);
CREATE TABLE events (id bigint PRIMARY KEY, worker int NOT NULL, seq bigint NOT NULL, v text NOT NULL);
INSERT INTO accounts SELECT g, 0, '' FROM generate_series(1, 8) g;
INSERT INTO events SELECT g, -1, 0, '' FROM generate_series(5, 8) g;
`

// Tables are those to opt in.
const Tables = "accounts,orders,events"

// HotRows are accounts that all workers increment, each for itself; Schema makes
// them.
func HotRows() []record.Key {
	var keys []record.Key
	for id := range int64(4) {
		keys = append(keys, record.Key{Table: record.Hot, ID: id + 1})
	}
	return keys
}

// Twins are accounts with an event each: whoever increments one of the two
// increments the other in the same transaction. Schema makes them.
func Twins() (pairs [][2]record.Key) {
	for id := range int64(4) {
		pairs = append(pairs, [2]record.Key{{Table: record.Hot, ID: id + 5}, {Table: record.Twin, ID: id + 5}})
	}
	return pairs
}

// Counters are all rows that are incremented by every worker.
func Counters() []record.Key {
	keys := HotRows()
	for _, pair := range Twins() {
		keys = append(keys, pair[:]...)
	}
	return keys
}
