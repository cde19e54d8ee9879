package main

// mode is one way to run the suite.
type mode struct {
	name   string
	plain  bool // through lib/pq itself
	params string
	binary bool // with binary_parameters=yes
}

const everyTable = "writebehind.tables=* writebehind.journal=none"

// modes are the ways through the shim.
var modes = []mode{
	{name: "none"},
	{name: "none-binary", binary: true},
	{name: "all", params: everyTable},
	{name: "all-binary", params: everyTable, binary: true},
}

// plainMode is what the modes are compared with.
func plainMode(binary bool) mode { return mode{name: "plain", plain: true, binary: binary} }
