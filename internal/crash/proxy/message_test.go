package proxy

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func packet(kind byte, payload string) []byte {
	var b []byte
	if kind != 0 {
		b = append(b, kind)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(lengthLength+len(payload)))
	return append(b, payload...)
}

func TestStreamIsCutIntoMessages(t *testing.T) {
	stream := [][]byte{
		packet(0, "\x04\xd2\x16\x2f"), // SSLRequest
		packet(0, "\x00\x03\x00\x00user\x00me\x00\x00"),
		packet('Q', "SELECT 'COMMIT'\x00"),
		packet('Q', "commit;\x00"),
		packet('P', "\x00COMMIT\x00\x00\x00"),
		packet('X', ""),
	}
	r := newReader(iotest.OneByteReader(bytes.NewReader(bytes.Join(stream, nil))))
	commits := 0
	for _, want := range stream {
		m, err := r.next()
		require.NoError(t, err)
		require.Equal(t, want, m.bytes)
		if m.isCommit() {
			commits++
		}
	}
	require.Equal(t, 1, commits)
	_, err := r.next()
	require.ErrorIs(t, err, io.EOF)
}

func TestBadLength(t *testing.T) {
	for _, length := range []uint32{0, 3, 1<<30 + 1} {
		r := newReader(bytes.NewReader(binary.BigEndian.AppendUint32(nil, length)))
		_, err := r.next()
		require.Error(t, err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(append(packet(0, "\x00\x03\x00\x00"), packet('Q', "COMMIT\x00")...))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := newReader(bytes.NewReader(stream))
		var all []byte
		for {
			m, err := r.next()
			if err != nil {
				break
			}
			m.isCommit()
			all = append(all, m.bytes...)
		}
		require.True(t, bytes.HasPrefix(stream, all), "messages are the stream, and nothing else")
	})
}
