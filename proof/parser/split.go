//go:build cgo

package parser

import pg "github.com/pganalyze/pg_query_go/v6"

// Split cuts a script into its statements, by PostgreSQL's own rules. A script
// that cannot be cut comes back whole.
func Split(script string) []string {
	list, err := pg.SplitWithScanner(script, true)
	if err != nil {
		return []string{script}
	}
	return list
}
