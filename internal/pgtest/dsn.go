package pgtest

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// DSN returns a connection string of the key=value form for a database of the
// server. The params, each "key=value" with the value unquoted, are added and
// take precedence.
func (s *Server) DSN(db string, params ...string) string {
	all := s.params(db, params)
	words := make([]string, 0, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		words = append(words, key+"="+quote(all[key]))
	}
	return strings.Join(words, " ")
}

// URL returns a connection string of the URL form for a database of the
// server, otherwise like DSN.
func (s *Server) URL(db string, params ...string) string {
	all := s.params(db, params)
	take := func(key string) string {
		v := all[key]
		delete(all, key)
		return v
	}
	u := url.URL{Scheme: "postgres", Path: "/" + take("dbname")}
	user, password := take("user"), take("password")
	if password != "" {
		u.User = url.UserPassword(user, password)
	} else if user != "" {
		u.User = url.User(user)
	}
	// A socket directory cannot stand in the host part of a URL.
	if host := all["host"]; !strings.HasPrefix(host, "/") {
		u.Host = take("host")
		if port := take("port"); port != "" {
			u.Host = net.JoinHostPort(host, port)
		}
	}
	query := url.Values{}
	for key, value := range all {
		query.Set(key, value)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// Port returns the TCP port of the server.
func (s *Server) Port() int {
	port, err := strconv.Atoi(s.base["port"])
	if err != nil {
		return 5432 // PostgreSQL's own default
	}
	return port
}

// SocketDir returns the directory of the server's Unix socket, usable as host in
// DSN, or "" for a server named by PGTEST_DSN.
func (s *Server) SocketDir() string { return s.dir }

func (s *Server) params(db string, params []string) map[string]string {
	all := maps.Clone(s.base)
	if db != "" {
		all["dbname"] = db
	}
	for _, p := range params {
		key, value, _ := strings.Cut(p, "=")
		all[key] = value
	}
	return all
}

// quote writes a value as the key=value form wants it (PostgreSQL
// documentation, "Connection Strings").
func quote(value string) string {
	if value != "" && !strings.ContainsAny(value, " \t\n\r'\\") {
		return value
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// parseDSN reads both forms of connection string.
func parseDSN(dsn string) (map[string]string, error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return parseURL(dsn)
	}
	all := map[string]string{}
	rest := strings.TrimSpace(dsn)
	for rest != "" {
		key, after, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, fmt.Errorf("pgtest: connection string: no value after %q", rest)
		}
		value, tail, err := parseValue(strings.TrimLeft(after, " \t\n\r"))
		if err != nil {
			return nil, err
		}
		all[strings.TrimSpace(key)] = value
		rest = strings.TrimSpace(tail)
	}
	return all, nil
}

// parseValue reads one value, quoted or not, and returns what follows it.
func parseValue(s string) (value, rest string, err error) {
	var b strings.Builder
	quoted := strings.HasPrefix(s, "'")
	if quoted {
		s = s[1:]
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case quoted && c == '\'':
			return b.String(), s[i+1:], nil
		case !quoted && strings.IndexByte(" \t\n\r", c) >= 0:
			return b.String(), s[i:], nil
		default:
			b.WriteByte(c)
		}
	}
	if quoted {
		return "", "", fmt.Errorf("pgtest: connection string: a quoted value does not end")
	}
	return b.String(), "", nil
}

func parseURL(dsn string) (map[string]string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		// The cause quotes the URL, and with it the password.
		return nil, fmt.Errorf("pgtest: connection string: malformed URL")
	}
	all := map[string]string{}
	for key, values := range u.Query() {
		all[key] = values[0]
	}
	set := func(key, value string) {
		if value != "" {
			all[key] = value
		}
	}
	set("host", u.Hostname())
	set("port", u.Port())
	set("dbname", strings.TrimPrefix(u.Path, "/"))
	set("user", u.User.Username())
	password, _ := u.User.Password()
	set("password", password)
	return all, nil
}
