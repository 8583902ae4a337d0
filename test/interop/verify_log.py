#!/usr/bin/env python3
"""A second verifier of the log, written from docs/spec/audit-log.md alone; it shares no line with the program.

Python's standard library has no Ed25519, so signatures are checked by `openssl`. Numbers in brackets are sections of
that page. Exit code: 0 everything holds, 1 something does not (each fault is one line), 2 unusable.

    verify_log.py DIR --vkey VKEY [--policy FILE] [--opaque-entries]
    verify_log.py --proof FILE --entry FILE --vkey VKEY [--policy FILE] [--opaque-entries]
"""
import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata

LIMIT = 2**53
WIDTH = 256
SPKI = bytes.fromhex("302a300506032b6570032100")
ED25519, COSIGNATURE = 1, 4
SMALL_ORDER = {
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
}


class Fault(Exception):
    """Something does not hold."""


def require(condition, message):
    if not condition:
        raise Fault(message)


# --- encodings -------------------------------------------------------------------------------------------------------


def decode_base64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Fault("not base64") from None
    require(base64.b64encode(data).decode() == text, "not canonical base64")
    return data


def decimal(text):
    require(re.fullmatch(r"0|[1-9][0-9]{0,15}", text, re.ASCII), "not a decimal number without leading zeros")
    require(int(text) < LIMIT, "2^53 or larger")
    return int(text)


def utf8(data, what):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Fault(f"{what} is not UTF-8") from None


# --- hashes [2] ------------------------------------------------------------------------------------------------------


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf(entry):
    return sha256(b"\0", entry)


def node(left, right):
    return sha256(b"\1", left, right)


def root_of(hashes):
    """Root over hashes of complete subtrees of one size."""
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node(root_of(hashes[:split]), root_of(hashes[split:]))


def root_from_proof(index, size, hash_, proof):
    """[6]"""
    require(index < size, "the index is outside of the tree")
    first, last = index, size - 1
    for sibling in proof:
        require(last > 0, "the proof has too many hashes")
        if first & 1 or first == last:
            hash_ = node(sibling, hash_)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            hash_ = node(hash_, sibling)
        first, last = first >> 1, last >> 1
    require(last == 0, "the proof has too few hashes")
    return hash_


# --- keys and notes [5] ----------------------------------------------------------------------------------------------


def is_name(name):
    spaces = any(unicodedata.category(c) in ("Zs", "Zl", "Zp") or c in "\t\n\x0b\x0c\r\x85" for c in name)
    return name != "" and not spaces and "+" not in name and all(ord(c) >= 0x20 for c in name)


class Key:
    def __init__(self, vkey):
        match = re.fullmatch(r"([^+]*)\+([0-9a-f]{8})\+(.*)", vkey, re.DOTALL)
        require(match and is_name(match[1]), "the key is not <name>+<8 hex digits>+<base64>")
        self.name, self.id, data = match[1], bytes.fromhex(match[2]), decode_base64(match[3])
        require(len(data) == 33 and data[0] in (ED25519, COSIGNATURE), "the key has an unknown type or length")
        self.type, self.public = data[0], data[1:]
        require(sha256(self.name.encode(), b"\n", data)[:4] == self.id, "the key id does not fit the key")
        require(self.public[:31] + bytes([self.public[31] & 0x7F]) not in SMALL_ORDER, "anybody can sign for this key")

    @property
    def identity(self):
        return (self.name, self.id)

    def verifies(self, text, signature):
        if self.type == COSIGNATURE:
            if len(signature) != 72:
                return False
            seconds = int.from_bytes(signature[:8], "big")
            text = b"cosignature/v1\ntime %d\n" % seconds + text
            signature = signature[8:]
        return len(signature) == 64 and ed25519(self.public, text, signature)


def ed25519(public, message, signature):
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name, data in (("key", SPKI + public), ("message", message), ("signature", signature)):
            paths[name] = os.path.join(folder, name)
            with open(paths[name], "wb") as file:
                file.write(data)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", paths["key"], "-keyform", "DER", "-rawin"]
        command += ["-in", paths["message"], "-sigfile", paths["signature"]]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def parse_note(data):
    """Text (bytes) and signatures [(name, id, signature)]."""
    require(len(data) <= 1048576, "the note is larger than 1 MiB")
    note = utf8(data, "the note")
    require(not any(ord(c) < 0x20 and c != "\n" for c in note), "the note holds a control character")
    split = note.rfind("\n\n")
    require(split >= 0, "the note has no empty line")
    block = note[split + 2 :]
    require(block.endswith("\n"), "the note does not end with a signature line")
    lines = block[:-1].split("\n")
    require(len(lines) <= 100, "the note has more than 100 signatures")
    signatures = []
    for line in lines:
        require(line.startswith("\u2014 "), "a signature line does not begin with a dash")
        parts = line[2:].split(" ")
        require(len(parts) == 2 and is_name(parts[0]), "a signature line is not name and base64")
        blob = decode_base64(parts[1])
        require(len(blob) > 4, "a signature holds only its key id")
        signatures.append((parts[0], blob[:4], blob[4:]))
    return note[: split + 1].encode(), signatures


def open_checkpoint(data, log, policy):
    """[4] Size, root, and the names of the policy's witnesses that cosigned."""
    text, signatures = parse_note(data)
    known = {key.identity: (name, key) for name, key in [("", log), *(policy.witnesses if policy else [])]}
    verified = {}
    for name, key_id, signature in signatures:
        alias, key = known.get((name, key_id), (None, None))
        if key is None:
            continue
        require(key.verifies(text, signature), f"a signature by the known key {name} does not verify")
        verified.setdefault(alias, signature)
    require("" in verified, "it is not signed by the key of the log")
    body = utf8(text, "the checkpoint")
    require(body.endswith("\n"), "the checkpoint does not end with a newline")
    lines = body[:-1].split("\n")
    require(len(lines) >= 3 and "" not in lines, "the checkpoint does not have three lines")
    require(lines[0] == log.name, "the checkpoint is of another origin")
    size, root = decimal(lines[1]), decode_base64(lines[2])
    require(len(root) == 32, "the root does not have 32 bytes")
    require(size > 0 or root == sha256(b""), "the empty tree has another root")
    return size, root, {name for name in verified if name}


# --- policies [7] ----------------------------------------------------------------------------------------------------


class Policy:
    def __init__(self, data):
        require(len(data) <= 65536, "the policy is too large")
        self.witnesses, self.groups, self.quorum = [], {}, None
        defined, grouped, keys = set(), set(), set()
        for line in utf8(data, "the policy").split("\n"):
            items = [item for item in re.split(r"[ \t]+", line) if item]
            if not items or items[0].startswith("#"):
                continue
            word, rest = items[0], items[1:]
            if word == "log" and len(rest) in (1, 2):
                require(Key(rest[0]).type == ED25519, "a log has a key of type 1")
            elif word == "witness" and len(rest) in (2, 3):
                key = Key(rest[1])
                require(key.type == COSIGNATURE and key.public not in keys, "a witness key is wrong or there twice")
                keys.add(key.public)
                require(rest[0] != "none" and rest[0] not in defined, "a name is defined twice")
                defined.add(rest[0])
                self.witnesses.append((rest[0], key))
            elif word == "group" and len(rest) >= 3:
                name, threshold, members = rest[0], rest[1], rest[2:]
                count = {"all": len(members), "any": 1}.get(threshold) or decimal(threshold)
                require(1 <= count <= len(members), "a threshold is out of range")
                for member in members:
                    require(member in defined and member not in grouped, "a member is unknown or in two groups")
                    grouped.add(member)
                require(name != "none" and name not in defined, "a name is defined twice")
                defined.add(name)
                self.groups[name] = (count, members)
            elif word == "quorum" and len(rest) == 1 and self.quorum is None:
                require(rest[0] == "none" or rest[0] in defined, "the quorum is not defined")
                self.quorum = rest[0]
            else:
                raise Fault(f"a line of the policy is not understood: {word}")
        require(self.quorum is not None, "the policy has no quorum")

    def is_met(self, cosigned):
        met = set(cosigned)
        for name, (count, members) in self.groups.items():
            if sum(member in met for member in members) >= count:
                met.add(name)
        return self.quorum == "none" or self.quorum in met


# --- entries [1] -----------------------------------------------------------------------------------------------------

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}", re.ASCII)
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}", re.ASCII)
TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", re.ASCII)
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.\d{3}Z", re.ASCII)


def sorted_keys(value):
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be", "surrogatepass"))
        return {key: sorted_keys(item) for key, item in ordered}
    if isinstance(value, list):
        return [sorted_keys(item) for item in value]
    return value


def integer(text):
    require(len(text) <= 17 and abs(int(text)) < LIMIT, "a number is 2^53 or larger")
    return int(text)


def no_float(_text):
    raise Fault("a number is not an integer")


def depth_of(text):
    depth = deepest = 0
    for character in re.sub(r'"(?:\\.|[^"\\])*"', "", text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(character, 0)
        deepest = max(deepest, depth)
    return deepest


def check_entry(data):
    require(len(data) <= 65535, "the entry is too long")
    text = utf8(data, "the entry")
    require(depth_of(text) <= 32, "the entry is nested too deeply")
    try:
        value = json.loads(text, parse_int=integer, parse_float=no_float, parse_constant=no_float)
        again = json.dumps(sorted_keys(value), ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        raise Fault("the entry is not JSON") from None
    require(again == data, "the entry is not canonical")
    require(isinstance(value, dict), "the entry is not an object")
    fields = {"v", "type", "at", "actor", "subject", "data"}
    require(fields <= set(value) <= fields | {"sealed"}, "the entry lacks a field or has another one")
    require(value["v"] == 1 and value["v"] is not True, "the entry has another version")
    require(isinstance(value["type"], str) and TYPE.fullmatch(value["type"]), "the type is malformed")
    check_time(value["at"])
    for party in (value["actor"], value["subject"]):
        require(isinstance(party, dict) and set(party) == {"kind", "id"}, "actor or subject is malformed")
        require(isinstance(party["id"], str) and ID.fullmatch(party["id"]), "an id is malformed")
        require(isinstance(party["kind"], str) and WORD.fullmatch(party["kind"]), "a kind is malformed")
    require(isinstance(value["data"], dict), "the data is not an object")
    check_sealed(value)


def check_time(text):
    match = isinstance(text, str) and TIME.fullmatch(text)
    require(match, "the time is malformed")
    year, month, day, hour, minute, second = (int(group) for group in match.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    require(1 <= month <= 12 and 1 <= day <= days[month - 1], "the day does not exist")
    require(hour < 24 and minute < 60 and second < 60, "the time of day does not exist")


def check_sealed(value):
    if "sealed" not in value:
        return
    sealed = value["sealed"]
    require(isinstance(sealed, dict) and sealed, "sealed is empty")
    for field, commitment in sealed.items():
        require(WORD.fullmatch(field) and isinstance(commitment, str), "a sealed field is malformed")
        require(re.fullmatch(r"[A-Za-z0-9_-]{43}", commitment, re.ASCII), "a commitment is malformed")
        standard = commitment.replace("-", "+").replace("_", "/") + "="
        require(len(decode_base64(standard)) == 32, "a commitment does not have 32 bytes")


# --- tiles [3] -------------------------------------------------------------------------------------------------------


def tile_path(level, index, width):
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    name = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    return f"tile/{level}/{name}" + ("" if width == WIDTH else f".p/{width}")


def decode_bundle(data, width):
    entries, offset = [], 0
    for _ in range(width):
        require(offset + 2 <= len(data), "the bundle ends too early")
        end = offset + 2 + int.from_bytes(data[offset : offset + 2], "big")
        require(end <= len(data), "an entry reaches beyond the bundle")
        entries.append(data[offset + 2 : end])
        offset = end
    require(offset == len(data), "bytes follow the last entry")
    return entries


class Folder:
    def __init__(self, path):
        self.path = path

    def read(self, name):
        path = os.path.join(self.path, *name.split("/"))
        if not os.path.isfile(path):
            raise Fault(f"{name}: missing")
        with open(path, "rb") as file:
            return file.read(WIDTH * 65537 + 1)

    def tile(self, level, index, width):
        """A tile or bundle, or the beginning of the full one. Path, and hashes or entries."""
        path = tile_path(level, index, width)
        try:
            data, held = self.read(path), width
        except Fault:
            if width == WIDTH:
                raise
            try:
                data, held = self.read(tile_path(level, index, WIDTH)), WIDTH
            except Fault:
                raise Fault(f"{path}: missing") from None
        try:
            if level == "entries":
                return path, decode_bundle(data, held)[:width]
            require(len(data) == held * 32, "it does not have 32 bytes for each hash")
            return path, [data[i : i + 32] for i in range(0, width * 32, 32)]
        except Fault as fault:
            raise Fault(f"{path}: {fault}") from None


def check_log(folder, size, root, opaque):
    """Every fault that is found, each with the path of the file. Compares each tile with what lies below it."""
    faults, edge, level, below = [], {}, "entries", {}
    count = size
    while count > 0:
        number = 0 if level == "entries" else level
        above = {}
        for index in range(-(-count // WIDTH)):
            width = min(WIDTH, count - index * WIDTH)
            try:
                path, stored = folder.tile(number, index, width)
            except Fault as fault:
                faults.append(str(fault))
                path, stored = None, None
            if level == "entries":
                derived = leaves_of(folder, index, width, opaque, faults)
            else:
                derived = [below.get(index * WIDTH + i) for i in range(width)]
            if stored is not None:
                wrong = [i for i, hash_ in enumerate(derived or []) if hash_ not in (None, stored[i])]
                if wrong:
                    lower = tile_path("entries", index, width)
                    if level != "entries":
                        lower = tile_path(number - 1, index * WIDTH + wrong[0], WIDTH)
                    faults.append(f"{path}: hash {wrong[0]} is not that of {lower}: one of the two was changed")
            known = stored if stored is not None else derived
            if known is not None and None not in known:
                if width == WIDTH:
                    above[index] = root_of(known)
                else:
                    edge[number] = known
        below, level, count = above, number + 1, count // WIDTH
    if not faults:
        try:
            require(root_of_edge(edge, size) == root, "the tiles do not lead to the signed root")
        except Fault as fault:
            faults.append(f"checkpoint: {fault}")
    return faults


def leaves_of(folder, index, width, opaque, faults):
    try:
        path, entries = folder.tile("entries", index, width)
    except Fault as fault:
        faults.append(str(fault))
        return None
    for i, entry in enumerate(entries if not opaque else []):
        try:
            check_entry(entry)
        except Fault as fault:
            faults.append(f"{path}: entry {index * WIDTH + i}: {fault}")
    return [leaf(entry) for entry in entries]


def root_of_edge(edge, size):
    subtrees = []
    for bit in reversed(range(size.bit_length())):
        if not size >> bit & 1:
            continue
        hashes, span = edge[bit // 8], 1 << bit % 8
        # Larger subtrees of the same tile come first: they take the higher bits of its width.
        start = len(hashes) >> (bit % 8 + 1) << (bit % 8 + 1)
        subtrees.append(root_of(hashes[start : start + span]))
    if not subtrees:
        return sha256(b"")
    root = subtrees.pop()
    while subtrees:
        root = node(subtrees.pop(), root)
    return root


# --- proof files [6] -------------------------------------------------------------------------------------------------


def check_proof(data, entry, log, policy):
    text = utf8(data, "the proof")
    head, blank, checkpoint = text.partition("\n\n")
    require(blank, "the proof has no empty line")
    lines = head.split("\n")
    require(lines.pop(0) == "c2sp.org/tlog-proof@v1", "the proof has another header")
    if lines and lines[0].startswith("extra "):
        decode_base64(lines.pop(0)[6:])
    require(lines and lines[0].startswith("index "), "the proof has no index")
    index = decimal(lines.pop(0)[6:])
    hashes = [decode_base64(line) for line in lines]
    require(len(hashes) <= 63 and all(len(hash_) == 32 for hash_ in hashes), "the hashes are malformed")
    size, root, cosigned = open_checkpoint(checkpoint.encode(), log, policy)
    require(root_from_proof(index, size, leaf(entry), hashes) == root, "the proof leads to another root")
    return index, size, cosigned


# --- command line ----------------------------------------------------------------------------------------------------


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--vkey", required=True)
    for name in ("policy", "proof", "entry"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--opaque-entries", action="store_true")
    arguments = parser.parse_args()
    try:
        log = Key(arguments.vkey)
        require(log.type == ED25519, "the key of a log has type 1")
        policy = Policy(read_file(arguments.policy)) if arguments.policy else None
    except (Fault, OSError) as fault:
        print(f"unusable: {fault}", file=sys.stderr)
        return 2
    faults = []
    try:
        if arguments.proof:
            entry = read_file(arguments.entry)
            index, size, cosigned = check_proof(read_file(arguments.proof), entry, log, policy)
            if not arguments.opaque_entries:
                check_entry(entry)
            print(f"entry {index} of {size}")
        else:
            folder = Folder(arguments.folder)
            try:
                size, root, cosigned = open_checkpoint(folder.read("checkpoint"), log, policy)
            except Fault as fault:
                raise Fault(f"checkpoint: {fault}") from None
            faults = check_log(folder, size, root, arguments.opaque_entries)
            print(f"{size} entries, root {base64.b64encode(root).decode()}")
        if policy:
            require(policy.is_met(cosigned), "checkpoint: the witness policy is not met")
    except Fault as fault:
        faults.append(str(fault))
    except OSError as fault:
        print(f"unusable: {fault}", file=sys.stderr)
        return 2
    for fault in faults:
        print(f"WRONG {fault}")
    print("NOT valid" if faults else "valid")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
