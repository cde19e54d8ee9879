package proxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// message is one message of a client, as it stands in the stream.
type message struct {
	kind  byte // 0 for those at the start, which have none
	bytes []byte
}

const (
	kindLength   = 1
	lengthLength = 4 // the length counts itself and what follows, not the kind
	longest      = 1 << 30
)

// reader cuts the stream of a client into messages.
type reader struct {
	from    *bufio.Reader
	started bool // the startup packet, the last one without a kind, has passed
	buffer  bytes.Buffer
}

func newReader(from io.Reader) *reader { return &reader{from: bufio.NewReader(from)} }

// next returns the next message, which is valid until the next call.
func (r *reader) next() (message, error) {
	header := lengthLength
	if r.started {
		header += kindLength
	}
	head, err := r.from.Peek(header)
	if err != nil {
		return message{}, err
	}
	var m message
	if r.started {
		m.kind, head = head[0], head[kindLength:]
	}
	length := int(binary.BigEndian.Uint32(head))
	if length < lengthLength || length > longest {
		return message{}, fmt.Errorf("a message of %d bytes", length)
	}
	// The buffer grows with what arrives, not with what a header claims.
	r.buffer.Reset()
	if _, err := io.CopyN(&r.buffer, r.from, int64(header-lengthLength+length)); err != nil {
		return message{}, err
	}
	m.bytes = r.buffer.Bytes()
	if !r.started {
		r.started = isStartup(m.bytes)
	}
	return m, nil
}

// isStartup tells the startup packet from the requests for encryption and for
// cancellation, whose codes have the major version 1234. A cancellation ends the
// stream; a client that is refused encryption goes on with a startup packet.
func isStartup(packet []byte) bool {
	const version = lengthLength + 2
	return len(packet) >= version && binary.BigEndian.Uint16(packet[lengthLength:]) != 1234
}

// isCommit tells whether the message is a simple query COMMIT, which is what
// lib/pq sends for Tx.Commit.
func (m message) isCommit() bool {
	if m.kind != 'Q' {
		return false
	}
	query := bytes.Trim(m.bytes[kindLength+lengthLength:], "\x00; \t\r\n")
	return bytes.EqualFold(query, []byte("COMMIT"))
}
