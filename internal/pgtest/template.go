package pgtest

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// makeData makes the data directory of a new cluster. As initdb takes a second
// or more, what it makes is kept as one archive per user, server version and
// arguments in the temporary directory, and unpacked from then on. (One file
// rather than a directory: what cleans temporary directories by age takes it
// whole or not at all.)
func makeData(ctx context.Context, bin binaries, acc account, o options, data string) error {
	archive := filepath.Join(os.TempDir(), templateName(bin, o))
	unlock, err := lockFile(archive + ".lock")
	if err != nil {
		return fmt.Errorf("pgtest: template: %w", err)
	}
	defer unlock()
	f, err := openTemplate(archive)
	if errors.Is(err, os.ErrNotExist) {
		if err := initdb(ctx, bin, acc, o, data); err != nil {
			return fmt.Errorf("pgtest: %w", err)
		}
		return packTemplate(data, archive)
	}
	if err != nil {
		return fmt.Errorf("pgtest: template: %w", err)
	}
	defer f.Close()
	unlock() // an archive does not change once it is there
	if err := unpack(f, data, acc); err != nil {
		return fmt.Errorf("pgtest: unpack template %s: %w", archive, err)
	}
	return nil
}

func templateName(bin binaries, o options) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q", bin.dir, bin.version, o.password, o.initdbArgs)
	return fmt.Sprintf("pgtest-%d-%x.tar", os.Geteuid(), h.Sum(nil)[:8])
}

func initdb(ctx context.Context, bin binaries, acc account, o options, data string) error {
	args := []string{
		"--pgdata=" + data, "--username=" + superuser, "--encoding=UTF8", "--locale=C", "--no-sync",
	}
	if o.password == "" {
		args = append(args, "--auth=trust")
	} else {
		file := filepath.Join(filepath.Dir(data), "password")
		if err := os.WriteFile(file, []byte(o.password+"\n"), 0o600); err != nil {
			return err
		}
		if err := acc.own(file); err != nil {
			return err
		}
		args = append(args, "--auth=scram-sha-256", "--pwfile="+file)
	}
	args = append(args, o.initdbArgs...)
	return acc.run(exec.CommandContext(ctx, filepath.Join(bin.dir, "initdb"), args...), filepath.Dir(data))
}

// openTemplate opens an archive if it is this user's own: anybody may create
// files in a temporary directory.
func openTemplate(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s belongs to somebody else", path), f.Close())
	}
	return f, nil
}

// packTemplate writes the data directory into an archive that appears whole.
func packTemplate(data, archive string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(archive), filepath.Base(archive)+".*")
	if err != nil {
		return fmt.Errorf("pgtest: template: %w", err)
	}
	w := tar.NewWriter(f)
	err = errors.Join(w.AddFS(os.DirFS(data)), w.Close(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), archive)
	}
	if err != nil {
		return fmt.Errorf("pgtest: template: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// unpack makes a data directory, owned by the account, of an archive.
func unpack(archive io.Reader, data string, acc account) error {
	if err := mkdir(data, acc); err != nil {
		return err
	}
	for r := tar.NewReader(archive); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(h.Name, "/")
		if !fs.ValidPath(name) {
			return fmt.Errorf("unexpected name %q", h.Name)
		}
		path := filepath.Join(data, name)
		switch h.Typeflag {
		case tar.TypeDir:
			err = mkdir(path, acc)
		case tar.TypeReg:
			err = writeFile(path, r, acc)
		default:
			err = fmt.Errorf("unexpected type %q of %q", h.Typeflag, h.Name)
		}
		if err != nil {
			return err
		}
	}
}

func mkdir(path string, acc account) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return acc.own(path)
}

func writeFile(path string, content io.Reader, acc account) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close(), acc.own(path))
}
