package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
)

const (
	formatVersion = 1
	directoryMeta = "writebehind.json" // of the directory
	journalMeta   = "journal.json"     // of one journal
	lockName      = "lock"
	maxMeta       = 64 << 10
)

// directoryInfo is in the directory's meta file.
type directoryInfo struct {
	Format   int    `json:"format"`
	Identity string `json:"identity"`
}

// journalInfo is in a journal's meta file. Without it a journal's directory is one
// that was never finished. It is written anew when segments go and at Close, so
// Checkpoint and Synced are lower bounds.
type journalInfo struct {
	Format     int    `json:"format"`
	Identity   string `json:"identity"`
	ID         string `json:"id"`
	Seq        uint64 `json:"seq"`            // order of creation in the directory
	Base       LSN    `json:"base"`           // the LSN before the first group ever
	Checkpoint LSN    `json:"checkpoint"`     // up to which groups are in PostgreSQL
	Synced     LSN    `json:"synced"`         // up to which groups were on the disk
	Boot       string `json:"boot,omitempty"` // run of the machine in which it was last started
	Removed    bool   `json:"removed,omitempty"`
}

// writeMeta replaces a meta file: after a crash there is the old one or the new. It
// is a line of JSON and one with its checksum, since a digit that flips in a
// checkpoint would pass over groups.
func writeMeta(fsys FS, dir, name string, info any) error {
	path := filepath.Join(dir, name)
	text, err := json.Marshal(info)
	if err != nil {
		return err
	}
	text = fmt.Appendf(text, "\ncrc32c %08x\n", crc32.Checksum(text, castagnoli))
	temp := path + tempSuffix
	_ = fsys.Remove(temp)
	file, err := fsys.Create(temp)
	if err != nil {
		return fmt.Errorf("journal: writing %s: %w", path, err)
	}
	_, err = file.WriteAt(text, 0)
	if err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = fsys.Rename(temp, path)
	}
	if err != nil {
		_ = fsys.Remove(temp)
		return fmt.Errorf("journal: writing %s: %w", path, err)
	}
	if err := fsys.SyncDir(dir); err != nil {
		return fmt.Errorf("journal: writing %s: %w", path, err)
	}
	return nil
}

// readMeta reads a meta file; found is false if there is none.
func readMeta(fsys FS, dir, name string, info any) (found bool, err error) {
	path := filepath.Join(dir, name)
	text, err := readSmall(fsys, path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("journal: reading %s: %w", path, err)
	}
	line, sum, _ := bytes.Cut(text, []byte("\n"))
	if string(sum) != fmt.Sprintf("crc32c %08x\n", crc32.Checksum(line, castagnoli)) {
		return false, &DamageError{File: path, Reason: "the checksum of the meta file does not fit"}
	}
	if err := json.Unmarshal(line, info); err != nil {
		return false, &DamageError{File: path, Reason: fmt.Sprintf("no meta file: %v", err)}
	}
	return true, nil
}

func readSmall(fsys FS, path string) ([]byte, error) {
	file, err := fsys.Open(path, false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	text := make([]byte, min(size, maxMeta))
	n, err := file.ReadAt(text, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return text[:n], nil
}

func checkFormat(path string, have int) error {
	if have == formatVersion {
		return nil
	}
	return &MismatchError{Path: path, What: "format version", Have: strconv.Itoa(have), Want: strconv.Itoa(formatVersion)}
}

func checkIdentity(path, have, want string) error {
	if have == want {
		return nil
	}
	return &MismatchError{Path: path, What: "database", Have: strconv.Quote(have), Want: strconv.Quote(want)}
}
