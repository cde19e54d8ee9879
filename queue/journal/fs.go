package journal

import "io"

// FS is the part of a file system that a journal needs. Tests inject faults with
// it. Names are paths as given in Options.Path, joined by package filepath. A
// missing file is an error that is fs.ErrNotExist.
type FS interface {
	// Create makes a file, readable by this user only, that must not exist yet.
	Create(name string) (File, error)
	// Open opens an existing file.
	Open(name string, write bool) (File, error)
	// ReadDir returns the names in a directory, sorted.
	ReadDir(name string) ([]string, error)
	// Mkdir makes a directory for this user only, and those above it.
	Mkdir(name string) error
	// Remove removes a file or an empty directory.
	Remove(name string) error
	Rename(from, to string) error
	// SyncDir makes the entries of a directory durable.
	SyncDir(name string) error
	// Lock takes the lock that the file stands for, or returns ErrLocked at once.
	// The file is made if missing. Close releases the lock, and so does the death
	// of the process, however it dies.
	Lock(name string) (io.Closer, error)
	// Locked reports whether somebody holds the lock, without taking it if the
	// system allows that.
	Locked(name string) (bool, error)
	// Boot identifies this run of the machine: as long as it is the same, what
	// was written has not been lost, synced or not. Empty if not known.
	Boot() string
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	// Sync makes the content, and the size if it has changed, durable.
	Sync() error
	// Map maps the first size bytes, shared and writable, until unmap. Stores into
	// it are seen by ReadAt and made durable by Sync. ErrNoMap if there is no such
	// thing here.
	Map(size int64) (data []byte, unmap func() error, err error)
}
