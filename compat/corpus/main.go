// Corpus asks the shim what it takes each statement of a file for, and compares
// the answers with labels that were given beforehand.
//
//	go run ./corpus -schema ../rewrite/testdata/schema.sql -statements ../rewrite/testdata/orm_sql.jsonl
//
// It loads the schema into a throwaway server, opts in all its tables, and sends
// EXPLAIN WRITEBEHIND for every statement; none is run. Per library it prints how
// many statements are labelled as keyed, how many of these are recognised, how many
// are missed, and how many others are wrongly taken for keyed ones. Beside them
// stands the share of the keyed ones that would be deferred or answered from the
// cache. Every disagreement is listed with its reason, then why the recognised
// statements that are direct are so. The last line is
//
//	corpus: keyed N recognised N missed N wrong N
//
// The exit status is 1 if a statement is wrongly taken for keyed, or if the
// program fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// errWrong is returned if a statement is taken for keyed that is none.
var errWrong = errors.New("corpus: a statement is taken for keyed that is none")

func main() {
	schema := flag.String("schema", "", "`file` of SQL that makes the tables")
	statements := flag.String("statements", "", "`file` of labelled statements, one JSON object a line")
	flag.Parse()
	if *schema == "" || *statements == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	counts, err := run(ctx, os.Stdout, *schema, *statements)
	stop()
	if err == nil && counts.wrong > 0 {
		err = errWrong
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run writes the report on a file of statements and returns the counts of all
// libraries together.
func run(ctx context.Context, w io.Writer, schema, statements string) (counts, error) {
	labelled, err := readStatements(statements)
	if err != nil {
		return counts{}, err
	}
	answers, err := explainAll(ctx, schema, labelled)
	if err != nil {
		return counts{}, err
	}
	r := newReport(labelled, answers)
	return r.total, r.write(w)
}
