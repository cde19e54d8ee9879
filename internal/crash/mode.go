package main

import (
	"context"
	"math/rand/v2"
)

// mode is a kind of crash.
type mode struct {
	name  string
	power bool
	// crash does it to a setting whose child works. After it the server runs;
	// whether the child does, the mode decides.
	crash func(*setting, context.Context, *rand.Rand) error
}

var modes = []mode{
	{name: "child", crash: (*setting).crashChild},
	{name: "server", crash: (*setting).crashServer},
	{name: "both", crash: (*setting).crashBoth},
	{name: "network", crash: (*setting).crashNetwork},
	{name: "power", crash: (*setting).crashPower, power: true},
}

func modeNamed(name string) (mode, bool) {
	for _, m := range modes {
		if m.name == name {
			return m, true
		}
	}
	return mode{}, false
}
