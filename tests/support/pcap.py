"""Capture files: classic ones are read, cut and written again, pcapng is read."""
import struct

LITTLE_MICRO = 0xA1B2C3D4
LITTLE_NANO = 0xA1B23C4D
HEADER_BYTES = 24
FRAME_HEADER_BYTES = 16


def header(link_type=1, snap_bytes=262144, magic=LITTLE_MICRO):
    return struct.pack("<IHHiIII", magic, 2, 4, 0, 0, snap_bytes, link_type)


def frame(seconds, fraction, data, wire_bytes=None):
    return struct.pack("<IIII", seconds, fraction, len(data), len(data) if wire_bytes is None else wire_bytes) + data


def frames(path):
    """(seconds, fraction, bytes, wire length) of every whole frame of a little- or big-endian classic capture."""
    with open(path, "rb") as fh:
        blob = fh.read()
    order = "<" if struct.unpack("<I", blob[:4])[0] in (LITTLE_MICRO, LITTLE_NANO) else ">"
    at, found = HEADER_BYTES, []
    while at + FRAME_HEADER_BYTES <= len(blob):
        seconds, fraction, kept, wire = struct.unpack(order + "IIII", blob[at:at + FRAME_HEADER_BYTES])
        at += FRAME_HEADER_BYTES
        if at + kept > len(blob):
            break
        found.append((seconds, fraction, blob[at:at + kept], wire))
        at += kept
    return found


def blocks(blob):
    """(type, body) of every whole block of a pcapng file, and the byte order of its section."""
    at, order = 0, "<"
    while at + 12 <= len(blob):
        if blob[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if blob[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        kind, length = struct.unpack(order + "II", blob[at:at + 8])
        if length < 12 or at + length > len(blob):
            return
        yield kind, blob[at + 8:at + length - 4], order
        at += length


def linked_frames(path):
    """(link type, bytes) of every whole frame, of a classic capture or of pcapng."""
    with open(path, "rb") as fh:
        blob = fh.read()
    if blob[:4] != b"\x0a\x0d\x0d\x0a":
        order = "<" if struct.unpack("<I", blob[:4])[0] in (LITTLE_MICRO, LITTLE_NANO) else ">"
        link = struct.unpack(order + "I", blob[20:24])[0] & 0xFFFF
        return [(link, data) for _, _, data, _ in frames(path)]
    links, found = [], []
    for kind, body, order in blocks(blob):
        if kind == 0x0A0D0D0A:
            links = []
        elif kind == 1:
            links.append(struct.unpack(order + "H", body[:2])[0])
        elif kind == 6:
            interface, _, _, kept = struct.unpack(order + "IIII", body[:16])
            found.append((links[interface], body[20:20 + kept]))
        elif kind == 3:
            found.append((links[0], body[4:4 + struct.unpack(order + "I", body[:4])[0]]))
    return found


def frame_offsets(blob):
    """Where each frame header of a little-endian classic capture starts."""
    at, found = HEADER_BYTES, []
    while at + FRAME_HEADER_BYTES <= len(blob):
        found.append(at)
        at += FRAME_HEADER_BYTES + struct.unpack("<I", blob[at + 8:at + 12])[0]
    return found


def tcp_payloads(path):
    """((source, source port, target, target port), payload) of every TCP segment over plain Ethernet and IPv4 or IPv6."""
    for _, _, data, _ in frames(path):
        kind, at = struct.unpack(">H", data[12:14])[0], 14
        if kind == 0x0800 and data[at + 9] == 6:
            addresses, end = (data[at + 12:at + 16], data[at + 16:at + 20]), at + struct.unpack(">H", data[at + 2:at + 4])[0]
            at += (data[at] & 15) * 4
        elif kind == 0x86DD and data[at + 6] == 6:
            addresses, end = (data[at + 8:at + 24], data[at + 24:at + 40]), at + 40 + struct.unpack(">H", data[at + 4:at + 6])[0]
            at += 40
        else:
            continue
        source, target = struct.unpack(">HH", data[at:at + 4])
        payload = data[at + (data[at + 12] >> 4) * 4:end]
        if payload:
            yield (addresses[0], source, addresses[1], target), payload
