package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	_ "github.com/lib/pq" // the driver that creates the role

	"github.com/writebehind/writebehind/internal/pgtest"
)

const (
	suiteModule = "github.com/lib/pq"
	module      = "github.com/writebehind/writebehind"

	// The one place where the suite opens the database, and the line in it.
	pqtestDir = "internal/pqtest"
	openFile  = pqtestDir + "/pqtest.go"
	openLine  = `sql.Open("postgres", DSN(strings.Join(conninfo, " ")))`
	newLine   = `sql.Open("writebehind", extend(DSN(strings.Join(conninfo, " "))))`

	// envParams has the DSN parameters that extend adds. An environment variable
	// lets one build serve all modes.
	envParams = "CONFORMANCE_PARAMS"

	// The role and the database that the suite expects.
	suiteUser = "pqgo"
)

// extendSource adds our parameters to both forms of DSN.
// extendSource adds our parameters to both forms of DSN.
const extendSource = `package pqtest

import (
	"os"
	"strings"
)

func extend(dsn string) string {
	params := os.Getenv("` + envParams + `")
	switch {
	case params == "":
		return dsn
	case !strings.Contains(dsn, "://"):
		return dsn + " " + params
	case strings.Contains(dsn, "?"):
		return dsn + "&" + strings.ReplaceAll(params, " ", "&")
	}
	return dsn + "?" + strings.ReplaceAll(params, " ", "&")
}
`

// suite is a pair of copies of lib/pq's module, one as it is and one that opens
// our driver, and a server for them.
type suite struct {
	dir    string
	server *pgtest.Server
}

// newSuite makes the copies and starts the server. An empty repo is the main
// module.
func newSuite(ctx context.Context, repo string) (_ *suite, err error) {
	if repo == "" {
		if repo, err = goList(ctx, "", module); err != nil {
			return nil, err
		}
	}
	if repo, err = filepath.Abs(repo); err != nil {
		return nil, err
	}
	source, err := goList(ctx, repo, suiteModule)
	if err != nil {
		return nil, err
	}
	s := &suite{}
	defer func() {
		if err != nil {
			err = closeWith(err, s.close)
		}
	}()
	if s.dir, err = os.MkdirTemp("", "conformance-"); err != nil {
		return nil, err
	}
	for _, name := range []string{s.plain(), s.changed()} {
		if err := os.CopyFS(name, os.DirFS(source)); err != nil {
			return nil, fmt.Errorf("copy lib/pq: %w", err)
		}
	}
	if err := change(s.changed()); err != nil {
		return nil, err
	}
	// In a workspace the copy needs no requirement of our module, and our
	// module's requirement of lib/pq is met by the copy.
	work := fmt.Sprintf("go 1.25.0\n\nuse (\n\t%q\n\t%q\n)\n", s.changed(), repo)
	if err := os.WriteFile(s.workFile(), []byte(work), 0o600); err != nil {
		return nil, err
	}
	if s.server, err = pgtest.Start(ctx); err != nil {
		return nil, err
	}
	if err := s.createRole(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// createRole creates the role that the suite connects as.
func (s *suite) createRole(ctx context.Context) (err error) {
	db, err := sql.Open("postgres", s.server.DSN("postgres"))
	if err != nil {
		return err
	}
	defer func() { err = closeWith(err, db.Close) }()
	_, err = db.ExecContext(ctx, "CREATE ROLE "+suiteUser+" SUPERUSER LOGIN")
	return err
}

func (s *suite) plain() string    { return filepath.Join(s.dir, "plain") }
func (s *suite) changed() string  { return filepath.Join(s.dir, "changed") }
func (s *suite) workFile() string { return filepath.Join(s.dir, "go.work") }

func (s *suite) close() error {
	var err error
	if s.server != nil {
		err = s.server.Close()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// change has the copy open our driver, and links it into the tests.
func change(dir string) error {
	file := filepath.Join(dir, openFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if n := bytes.Count(text, []byte(openLine)); n != 1 {
		return fmt.Errorf("%s has %d times, not once, the line %s", openFile, n, openLine)
	}
	text = bytes.Replace(text, []byte(openLine), []byte(newLine), 1)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, pqtestDir, "extend.go"), []byte(extendSource), 0o600); err != nil {
		return err
	}
	return link(dir)
}

// link imports our driver into every test binary whose tests open the
// database. The importing file belongs to the external test package ("pq_test"):
// our driver imports lib/pq, and only an external test package may import what
// depends on the package under test.
func link(dir string) error {
	names := map[string]string{} // directory -> package
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(text, []byte("pqtest.")) {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, text, parser.PackageClauseOnly)
		if err != nil {
			return err
		}
		names[filepath.Dir(path)] = strings.TrimSuffix(f.Name.Name, "_test")
		return nil
	})
	for dir, name := range names {
		source := fmt.Sprintf("package %s_test\n\nimport _ %q\n", name, module)
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, "writebehind_test.go"), []byte(source), 0o600))
	}
	return err
}

// goList returns the directory of a module, as seen from dir. It downloads the
// module if need be.
func goList(ctx context.Context, dir, module string) (string, error) {
	if module == suiteModule {
		download := exec.CommandContext(ctx, "go", "mod", "download", module)
		download.Dir = dir
		if out, err := download.CombinedOutput(); err != nil {
			return "", fmt.Errorf("go mod download %s: %w\n%s", module, err, out)
		}
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go list -m %s: %w", module, err)
	}
	return strings.TrimSpace(string(out)), nil
}

func closeWith(err error, closing func() error) error { return errors.Join(err, closing()) }
