import { PERIOD_PATHS, type PeriodIndex } from '../domain/period-format.js';
import { certificationText } from './draft-certification.js';

/** `VERIFY.md` of a period: what to run, what it proves, and what it does not. */
export function periodInstructions(index: PeriodIndex): string {
  const { origin, first, last, product, createdAt, asked } = index;
  const span = `${asked.from ?? 'the beginning of the log'} to ${asked.until ?? 'its end'}`;
  return `# How to verify this export

Every entry of the log \`${origin}\` from ${span}, prepared at ${createdAt} by ${product.name} ${product.version}. It holds
the entries ${first.size} to ${last.size - 1}, one a line, in \`${PERIOD_PATHS.entries}\`: those of the time asked for, and those that
were signed together with them.

## 1. Everything at once

    npx --no-install colophon verify export.zip --vkey '<the key of the log, which you got from elsewhere>'

In the folder of the program, as its repository has it. It is on no package registry: a package of that name there is not ours.

Exit code 0: valid, 1: invalid, 2: cannot be read, or not proved: without the key of the log, or \`--report-trust\` with
authorities for reports that you know, anybody could have made it. The output says for which time the export is whole.

## 2. Nothing was changed in this export

    sha256sum -c ${PERIOD_PATHS.sums}

## 3. No entry is missing, added, changed or in another place

\`${PERIOD_PATHS.index}\` holds the right edge of the tree of the first ${first.size} entries. Appending the entries of this export to it
must give the root that the log signed for ${last.size} entries. It gives that root for these entries in this order and for no
others (RFC 6962 section 2.1, SHA-256). With Python and nothing else, in the unpacked folder:

\`\`\`python
${CHECK_PROGRAM}\`\`\`

The two signed states are \`${PERIOD_PATHS.lastCheckpoint}\`${first.size > 0 ? ` and \`${PERIOD_PATHS.firstCheckpoint}\`` : ' (the first state is the empty log, which nobody signs)'} (c2sp.org/tlog-checkpoint). Their
signatures are checked with Go's \`golang.org/x/mod/sumdb/note\` (\`note.Open\`) and the key in \`${PERIOD_PATHS.vkey}\`.
\`consistencyProof\` in \`${PERIOD_PATHS.index}\` (RFC 6962 section 2.1.2) shows the same of the two states alone, without the entries:
\`tlog.CheckTree\` of \`golang.org/x/mod/sumdb/tlog\` takes it.

## 4. The time asked for does not reach beyond the entries

    cat around/*.json

\`${PERIOD_PATHS.before}\` is the entry right before those of the export, \`${PERIOD_PATHS.after}\` the one right after them (each where there is
one). Their times, \`at\`, must lie outside of the time asked for. \`around/*.tlog-proof\` (c2sp.org/tlog-proof) prove their places
under \`${PERIOD_PATHS.newestCheckpoint}\`, the newest state when the export was made, to which \`consistencyToNewest\` leads from the last one.
Where no entry follows, the log ended there.

## 5. Who made this export

\`${PERIOD_PATHS.signedIndex}\` is \`${PERIOD_PATHS.index}\`, signed (JWS, RFC 7515) with the certificate in its header; the authority is in
\`${PERIOD_PATHS.reportAnchors}\`. Anybody can make a certificate with these names: \`${PERIOD_PATHS.reportKey}\` is the entry of the log that
names this one (\`certificateSha256\`), with its proof beside it. Or compare the authority with the one that the organization
names elsewhere.

Cosignatures of witnesses are further lines \`\u2014 <name> <base64>\` of \`${PERIOD_PATHS.lastCheckpoint}\`; \`${PERIOD_PATHS.policy}\` names the keys
of the witnesses that the operator asks (compare them with keys from elsewhere). Behind four bytes of key id stand eight with
the time in Unix seconds, big-endian, and 64 with the Ed25519 signature over the two lines \`cosignature/v1\` and
\`time <seconds>\` and the first three lines of the checkpoint, each with its newline (c2sp.org/tlog-cosignature).

Time-stamps over the last state, where there are any, are checked with OpenSSL:

    sed '/^$/q' ${PERIOD_PATHS.lastCheckpoint} | sed '/^$/d' > checkpoint.body
    openssl ts -verify -token_in -in time-stamps/1.tst -data checkpoint.body -CAfile <roots of the authority>

## 6. What none of this proves

- That the key in \`${PERIOD_PATHS.vkey}\` belongs to the organization: get it from another place and compare.
- That everybody was shown this same log. Cosignatures of witnesses that you trust show that, or your own copy of an
  earlier checkpoint.
- That something was left out before it was written into the log, or that what was recorded is true.
- When an entry was written: its time is the operator's clock, by which the entries of a time are chosen. Times need
  not ascend along the log, and only the neighbours are shown: that no entry further away names a time of the export is
  not proved.
- What was recorded after this export was made.
`;
}

/** Standard library alone, so that an auditor can read all of it. */
export const CHECK_PROGRAM = `import base64, hashlib, json
sha = lambda data: hashlib.sha256(data).digest()
period = json.load(open("${PERIOD_PATHS.index}"))
first, last = period["first"], period["last"]
size, edge = first["size"], [base64.b64decode(h) for h in first["edge"]]

def root(edge):
    node = None
    for left in reversed(edge):
        node = left if node is None else sha(b"\\x01" + left + node)
    return base64.b64encode(node if node is not None else sha(b"")).decode()

assert root(edge) == first["rootHash"], "the first state is not the signed one"
for line in open("${PERIOD_PATHS.entries}", "rb"):
    assert line.endswith(b"\\n"), "the export was cut off"
    node, rest = sha(b"\\x00" + line[:-1]), size
    while rest % 2 == 1:
        node, rest = sha(b"\\x01" + edge.pop() + node), rest // 2
    edge.append(node)
    size += 1
assert size == last["size"], "entries are missing or were added"
assert root(edge) == last["rootHash"], "an entry was changed, or the order"
head = open("${PERIOD_PATHS.lastCheckpoint}", encoding="utf-8").read().split("\\n")
assert head[:3] == [period["origin"], str(size), root(edge)], "the last state is not the signed one"
print("complete: entries", first["size"], "to", size - 1)
`;

export function periodCertification(index: PeriodIndex): string {
  const { origin, last, createdAt, product, reportId, first } = index;
  return certificationText(
    {
      what: `export of the entries ${first.size} to ${last.size - 1} of that log (report ${reportId})`,
      origin,
      treeSize: last.size,
      rootHash: last.rootHash,
      createdAt,
      product,
    },
    'every file of the export except SHA256SUMS itself',
  );
}
