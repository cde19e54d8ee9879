// Package compat runs the programs of the usual libraries through writebehind.
//
// A small shop is written once per library, as that library's users write it. Each
// runs on lib/pq and on writebehind, on a database of its own: what the program
// sees and what is in the tables at the end must be the same in every detail. Then
// its hot part is run again and again, and it is counted how many of its keyed
// statements did not wait for PostgreSQL.
package compat

import _ "embed"

// Schema makes the tables of the shop.
//
//go:embed schema.sql
var Schema string
