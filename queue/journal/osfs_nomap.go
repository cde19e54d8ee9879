//go:build !linux

package journal

// Sync is the strongest that package os has.
func (f osFile) Sync() error { return f.File.Sync() }

// Map is left to systems where a mapping and reads are known to agree.
func (osFile) Map(int64) ([]byte, func() error, error) { return nil, nil, ErrNoMap }

// Boot is not known.
func (osFS) Boot() string { return "" }
