package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// clusterConf tells Debian's packages whether to create and start a cluster of
// their own when the server is installed.
const clusterConf = "/etc/postgresql-common/createcluster.conf"

// install installs the server by apt-get. It is an error to be on a system
// without, or not to be root.
func install(ctx context.Context) error {
	aptGet, err := exec.LookPath("apt-get")
	if err != nil {
		return errors.New("there is no apt-get to install it with")
	}
	if os.Geteuid() != 0 {
		return errors.New("only root can install it")
	}
	// Test processes of several packages start at the same time.
	unlock, err := lockFile(filepath.Join(os.TempDir(), "pgtest-install.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if findDir(ctx, usualPlaces) != "" {
		return nil // installed by whoever held the lock
	}
	if err := preventDefaultCluster(); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "pgtest: no PostgreSQL server found, installing it with apt-get")
	for _, args := range [][]string{
		{"update"},
		{"install", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", "postgresql"},
	} {
		cmd := exec.CommandContext(ctx, aptGet, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out)
		}
	}
	return nil
}

// preventDefaultCluster keeps the packages from starting a server that nobody
// asked for. A file that exists says what its owner wants and stays.
func preventDefaultCluster() error {
	if err := os.MkdirAll(filepath.Dir(clusterConf), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(clusterConf, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString("create_main_cluster = false\n")
	return errors.Join(err, f.Close())
}
