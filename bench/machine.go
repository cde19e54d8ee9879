package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// lookAround says on what machine, and with what versions and settings of the server,
// the benchmark runs.
func lookAround(ctx context.Context, server *pgtest.Server) (lines []string, err error) {
	db, err := sql.Open("postgres", server.DSN("postgres"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var version, set string
	err = db.QueryRowContext(ctx, `SELECT current_setting('server_version'), (SELECT string_agg(name || '=' || current_setting(name), ', ' ORDER BY name)
		FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'max_connections', 'max_wal_size', 'shared_buffers', 'wal_sync_method'))`).Scan(&version, &set)
	if err != nil {
		return nil, err
	}
	lines = []string{
		fmt.Sprintf("%s/%s, %d processors%s; server and benchmark on one machine", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor()),
		"PostgreSQL " + version + " (" + set + ")",
		runtime.Version(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			switch d.Path {
			case "github.com/lib/pq", "github.com/jackc/pgx/v5", "github.com/allegro/bigcache/v3":
				lines = append(lines, d.Path+" "+d.Version)
			}
		}
	}
	return lines, nil
}

// processor is the name of the processor, where Linux tells.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return " (" + strings.TrimSpace(value) + ")"
		}
	}
	return ""
}
