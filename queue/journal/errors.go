package journal

import (
	"errors"
	"fmt"
)

// DamageError says that groups which were acknowledged cannot be read. Nothing has
// been changed on the disk.
type DamageError struct {
	File   string // the file
	Offset int64  // in bytes, where the expected frame is not to be read
	LSN    LSN    // the first group that is missing, if it can be told
	Reason string // how it is known to be damage
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("journal: %s is damaged at offset %d (group %d): %s; nothing has been changed: "+
		"restore the file, or move the journal's directory away to give up what it still holds",
		e.File, e.Offset, e.LSN, e.Reason)
}

// MismatchError says that a directory is not one for this database or this version.
type MismatchError struct {
	Path string // the directory
	What string // "database" or "format version"
	Have string // what the directory says
	Want string // what was asked for
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("journal: %s belongs to %s %s, not %s; name another directory in writebehind.journal",
		e.Path, e.What, e.Have, e.Want)
}

// ErrLocked is returned by FS.Lock if another process, or this one, holds the lock.
var ErrLocked = errors.New("journal: locked by a live process")
