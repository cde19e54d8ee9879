package writebehind

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/writebehind/writebehind/internal/pgerr"
)

// passwords finds where a DSN of either form holds a password.
var passwords = []*regexp.Regexp{
	regexp.MustCompile(`(?i)pass(?:word|file)\s*=\s*'((?:[^'\\]|\\.)*)`),
	regexp.MustCompile(`(?i)pass(?:word|file)\s*=\s*([^\s'&]+)`),
	regexp.MustCompile(`://[^:/?#]*:([^/?#]*)@`),
}

// withoutPassword takes the password out of an error of the real driver about
// the DSN, which may quote any part of it. Errors of the server and of the
// network quote none and stay what they are.
func withoutPassword(err error, dsn string) error {
	var network *net.OpError
	if err == nil || pgerr.State(err) != "" || errors.As(err, &network) {
		return err
	}
	var malformed *url.Error
	if errors.As(err, &malformed) { // it quotes any part of the URL, in any way
		return errors.New("writebehind: the real driver does not take the DSN: it is no valid URL")
	}
	text := err.Error()
	clean := strings.ReplaceAll(text, dsn, "(the DSN)")
	for _, p := range passwords {
		for _, found := range p.FindAllStringSubmatch(dsn, -1) {
			if found[1] != "" {
				clean = strings.ReplaceAll(clean, found[1], "(the password)")
			}
		}
	}
	if clean == text {
		return err
	}
	return fmt.Errorf("writebehind: the real driver does not take the DSN: %s", clean)
}
