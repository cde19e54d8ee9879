// Package parser holds package rewrite against PostgreSQL's own parser, as
// github.com/pganalyze/pg_query_go wraps it (the parser of PostgreSQL 17).
//
// Compare asks both about one text. For a text that rewrite recognises, the parse
// tree must confirm each part of the Statement, and must hold nothing else. For
// every text that PostgreSQL parses, the Summary must tell of all that the tree
// mentions: relations, functions, operators, parameters, and what kind of
// statement it is. A text that PostgreSQL refuses must not be recognised.
//
// The other direction is no matter: rewrite may recognise less, and a Summary may
// name more.
//
// The texts are those that Go libraries sent (rewrite/testdata), statements of a
// Generator, the same with tokens deleted, repeated, swapped and put in, and the SQL
// scripts of the PostgreSQL installation, if there is one.
//
// The package needs cgo; without a C compiler there is nothing in it, and its
// tests are skipped.
package parser
