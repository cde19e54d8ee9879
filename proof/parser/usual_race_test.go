//go:build cgo && race

package parser

// usual is the default of -statements. The race detector makes each cost four times as
// much.
const usual = 50_000
