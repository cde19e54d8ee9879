package journal

import (
	"encoding/binary"
	"hash/crc32"
)

// A frame begins at a multiple of 8:
//
//	 0  header checksum   CRC-32C of salt, bytes 4 to 32; mixed with the offset
//	 4  payload checksum  CRC-32C of salt, payload
//	 8  payload length    4 bytes
//	12  kind, 3 zeros
//	16  LSN               of the group; of a definition, the group that needs it;
//	                      of the others, the newest group before
//	24  durable LSN       how far the journal was known to be synced
//	32  payload, zeros up to a multiple of 8
//
// The header has a checksum of its own, so that a search for frames after a bad
// one costs nothing per place, whatever lengths a payload pretends, and so that a
// frame whose payload is damaged still says how far the journal was synced.
const (
	frameHeader = 32
	frameAlign  = 8
)

const (
	kindBegin      = 1 // first of a segment; LSN: last of the segment before; payload: first LSN of this, flags
	kindGroup      = 2
	kindDefinition = 3 // payload: id, text
	kindMarker     = 4 // attests its durable LSN
	kindSeal       = 5 // last of a segment: there is a next one
)

// markerSize is that of a marker or a seal; beginSize of a begin frame.
const (
	markerSize = frameHeader
	beginSize  = frameHeader + 16

	// flagMapped: frames are copied into a mapping, header last.
	flagMapped = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frameSize is what a frame takes with its padding.
func frameSize(payload int) int64 { return roundUp(frameHeader+int64(payload), frameAlign) }

// place makes the checksum of a frame differ from that of the same bytes elsewhere.
func place(off int64) uint32 { return uint32(off>>3) * 0x9E3779B1 }

// putFrame writes a frame that belongs at off into b, which has its size and zeros
// where the padding goes. The header comes last, its checksum at the very end (the
// compiler keeps the order of stores, and a signal comes between two), so that in a
// mapping a process that dies within leaves zeros there.
func putFrame(b []byte, seed uint32, off int64, kind byte, lsn, durable LSN, prefix, payload []byte) {
	body := b[frameHeader:]
	n := copy(body, prefix)
	n += copy(body[n:], payload)
	sum := crc32.Update(seed, castagnoli, body[:n])
	binary.LittleEndian.PutUint64(b[24:], durable)
	binary.LittleEndian.PutUint64(b[16:], lsn)
	binary.LittleEndian.PutUint64(b[8:], uint64(n)|uint64(kind)<<32)
	binary.LittleEndian.PutUint32(b[4:], sum)
	binary.LittleEndian.PutUint32(b, crc32.Update(seed, castagnoli, b[4:frameHeader])^place(off))
}

// frame is a frame that was read.
type frame struct {
	kind    byte
	whole   bool // the payload is what it was
	lsn     LSN
	durable LSN
	payload []byte
	end     int64
}

// readFrame reads the frame at off of a segment. ok is false if there is no header
// of one.
func readFrame(segment []byte, seed uint32, off int64) (f frame, ok bool) {
	if off < 0 || off+frameHeader > int64(len(segment)) {
		return f, false
	}
	h := segment[off : off+frameHeader]
	word := binary.LittleEndian.Uint64(h[8:])
	f.kind = byte(word >> 32)
	if f.kind < kindBegin || f.kind > kindSeal || word>>40 != 0 {
		return f, false
	}
	length := int64(uint32(word))
	if length > int64(len(segment))-off-frameHeader {
		return f, false
	}
	if crc32.Update(seed, castagnoli, h[4:])^place(off) != binary.LittleEndian.Uint32(h) {
		return f, false
	}
	f.lsn = binary.LittleEndian.Uint64(h[16:])
	f.durable = binary.LittleEndian.Uint64(h[24:])
	f.payload = segment[off+frameHeader : off+frameHeader+length]
	f.end = min(off+frameSize(int(length)), int64(len(segment)))
	f.whole = crc32.Update(seed, castagnoli, f.payload) == binary.LittleEndian.Uint32(h[4:])
	return f, true
}

// begin is the frame that begins a segment.
type begin struct {
	before, first LSN // the last LSN before the segment, its own first one
	mapped        bool
}

func beginOf(segment []byte, seed uint32) (b begin, ok bool) {
	f, ok := readFrame(segment, seed, segmentHeader)
	if !ok || !f.whole || f.kind != kindBegin || len(f.payload) != 16 {
		return b, false
	}
	b = begin{
		before: f.lsn, first: binary.LittleEndian.Uint64(f.payload),
		mapped: binary.LittleEndian.Uint64(f.payload[8:])&flagMapped != 0,
	}
	return b, b.first > b.before
}

// beginPayload is that of a begin frame.
func beginPayload(first LSN, mapped bool) []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 16), first)
	var flags uint64
	if mapped {
		flags = flagMapped
	}
	return binary.LittleEndian.AppendUint64(b, flags)
}

// definitionOf splits the payload of a definition.
func definitionOf(payload []byte) (id uint32, text []byte, ok bool) {
	if len(payload) < 4 {
		return 0, nil, false
	}
	return binary.LittleEndian.Uint32(payload), payload[4:], true
}
