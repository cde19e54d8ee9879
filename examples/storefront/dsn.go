package main

import (
	"fmt"
	"net/url"
	"strings"
)

// param is a connection parameter.
type param struct{ key, value string }

// withParams adds parameters to a DSN of either form. What the DSN already
// says under the same key is overruled.
func withParams(dsn string, params ...param) (string, error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		u, err := url.Parse(dsn)
		if err != nil {
			return "", fmt.Errorf("the DSN is not a well-formed URL") // err would show the password
		}
		query := u.Query()
		for _, p := range params {
			query.Set(p.key, p.value)
		}
		u.RawQuery = query.Encode()
		return u.String(), nil
	}
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	words := []string{dsn}
	for _, p := range params {
		words = append(words, fmt.Sprintf("%s='%s'", p.key, quote.Replace(p.value)))
	}
	return strings.TrimSpace(strings.Join(words, " ")), nil
}
