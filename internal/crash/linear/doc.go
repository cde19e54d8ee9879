// Package linear has a test: the history of each row, as several goroutines saw it
// through the shim while the server was killed, is checked for linearizability. What
// every statement returned must be explained by one order of all of them in which
// none comes before one that had ended when it began.
package linear
