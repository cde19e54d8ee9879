package run

import (
	"fmt"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// dsn returns the connection string of one side. The plain driver would take
// the shim's parameters too, but the reference is to owe it nothing.
func (b *Bench) dsn(side int, s history.Settings, journal string) string {
	var params []string
	if s.Binary && b.Real == Reference {
		params = append(params, "binary_parameters=yes")
	}
	if s.TimeZone != "" {
		params = append(params, "timezone="+s.TimeZone)
	}
	if side == 1 {
		params = append(params, shimParams(s, journal)...)
		if b.Real != Reference {
			params = append(params, "writebehind.driver="+b.Real)
		}
	}
	if s.URL {
		return b.server.URL(b.places[side].name, params...)
	}
	return b.server.DSN(b.places[side].name, params...)
}

func shimParams(s history.Settings, journal string) []string {
	tables := s.Tables
	if tables == "" {
		tables = "*"
	}
	params := []string{"writebehind.tables=" + tables, "writebehind.journal=" + journal}
	if s.MaxDelay != 0 {
		params = append(params, "writebehind.max_delay="+s.MaxDelay.String())
	}
	if s.BatchRows != 0 {
		params = append(params, fmt.Sprintf("writebehind.batch_rows=%d", s.BatchRows))
	}
	if s.CacheSize != "" {
		params = append(params, "writebehind.cache_size="+s.CacheSize)
	}
	if s.Sync != "" {
		params = append(params, "writebehind.sync="+s.Sync)
	}
	if s.Real {
		params = append(params, "writebehind.transactions=direct")
	}
	return params
}
