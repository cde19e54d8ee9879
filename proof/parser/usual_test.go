//go:build cgo && !race

package parser

// usual is the default of -statements.
const usual = 200_000
