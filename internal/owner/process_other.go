//go:build !unix

package owner

// exists cannot be told here: the heartbeat decides.
func exists(int) bool { return true }
