package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// binaries is an installation of the PostgreSQL server.
type binaries struct {
	dir     string // the directory of initdb and postgres
	version string // what "postgres --version" prints
}

// usualPlaces are patterns of directories where packagers put the server's
// programs. Where a pattern matches several, the newest version wins.
var usualPlaces = []string{
	"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
	"/usr/pgsql-*/bin",                  // Red Hat and kin, from postgresql.org
	"/usr/bin",                          // Fedora, Arch
	"/usr/libexec/postgresql*",          // Alpine
	"/usr/local/pgsql/bin",              // built from source
	"/opt/homebrew/opt/postgresql*/bin", // Homebrew, Apple silicon
	"/usr/local/opt/postgresql*/bin",    // Homebrew, Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findBinaries returns the installed server, having installed it if it may.
func findBinaries(ctx context.Context) (binaries, error) {
	dir := findDir(ctx, usualPlaces)
	if dir == "" {
		if err := install(ctx); err != nil {
			return binaries{}, fmt.Errorf("pgtest: no PostgreSQL server found: install it "+
				"(Debian: apt-get install postgresql, Red Hat: dnf install postgresql-server, "+
				"macOS: brew install postgresql) or set %s to a running one: %w", EnvDSN, err)
		}
		if dir = findDir(ctx, usualPlaces); dir == "" {
			return binaries{}, errors.New("pgtest: PostgreSQL was installed, but initdb is in no known place: add its directory to PATH")
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return binaries{}, fmt.Errorf("pgtest: %s/postgres --version: %w", dir, err)
	}
	return binaries{dir: dir, version: strings.TrimSpace(string(out))}, nil
}

// findDir looks on PATH, asks pg_config, and looks in the places given. It
// returns "" if there is no server.
func findDir(ctx context.Context, places []string) string {
	if path, err := exec.LookPath("initdb"); err == nil {
		// A link on PATH may stand alone: the other programs are where it points.
		if path, err = filepath.EvalSymlinks(path); err == nil && complete(filepath.Dir(path)) {
			return filepath.Dir(path)
		}
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		if dir := strings.TrimSpace(string(out)); complete(dir) {
			return dir
		}
	}
	for _, pattern := range places {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		before, _, _ := strings.Cut(pattern, "*")
		slices.SortFunc(matches, func(a, b string) int {
			return versionIn(b[len(before):]) - versionIn(a[len(before):])
		})
		if i := slices.IndexFunc(matches, complete); i >= 0 {
			return matches[i]
		}
	}
	return ""
}

// complete reports whether the directory holds all that a cluster needs.
func complete(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

var digits = regexp.MustCompile(`\d+`)

// versionIn returns the first number in what a pattern's star and the rest of it
// stand for, which is the major version, or 0.
func versionIn(rest string) int {
	n, err := strconv.Atoi(digits.FindString(rest))
	if err != nil {
		return 0
	}
	return n
}
