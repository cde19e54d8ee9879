// Command writebehind looks into the journals of package writebehind, offline and
// without changing anything.
//
//	writebehind journal inspect DIR    what there is
//	writebehind journal verify DIR     whether it is whole
//	writebehind journal export DIR     every group that is still in it,
//	                                   those that are in PostgreSQL already included
//
// DIR is what the DSN parameter writebehind.journal names, or the directory of one
// journal in it. The process that writes a journal may be running. Output is JSON,
// an object per line.
package main

import (
	"fmt"
	"io"
	"os"
)

const usage = `usage: writebehind journal inspect|verify|export DIR

  inspect  a line for each journal and for each of its segments
  verify   a line for each journal that is damaged; exit status 1 if there is one
  export   a line for each group: the rows and what was written to them

DIR is the directory that writebehind.journal names, or that of one journal in it.
Nothing is changed or locked; the process that uses it may be running.
`

// Exit statuses.
const (
	exitOK      = 0
	exitDamage  = 1
	exitFailure = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	commands := map[string]func(dir string, out io.Writer) (int, error){
		"inspect": inspect, "verify": verify, "export": export,
	}
	if len(args) == 1 && (args[0] == "-h" || args[0] == "-help" || args[0] == "--help" || args[0] == "help") {
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	if len(args) != 3 || args[0] != "journal" || commands[args[1]] == nil {
		fmt.Fprint(stderr, usage)
		return exitFailure
	}
	status, err := commands[args[1]](args[2], stdout)
	if err != nil {
		fmt.Fprintf(stderr, "writebehind: %v\n", err)
		return max(status, exitDamage)
	}
	return status
}
