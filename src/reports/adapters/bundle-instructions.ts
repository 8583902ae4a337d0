import { type AssetDossier } from '../domain/dossier.js';
import { assetPath, BUNDLE_PATHS, entryPath, proofPath } from '../domain/bundle-format.js';
import { LOG_CHECK_PROGRAM } from './log-check-program.js';

/** `VERIFY.md`: how a stranger checks the bundle with public tools, and what each check proves. */
export function bundleInstructions(
  dossier: AssetDossier,
  assetFileName: string,
  hasOpenings: boolean,
): string {
  const { asset, log } = dossier;
  return [
    `# How to verify this bundle

This bundle is evidence about one media file, ${asset.id}, prepared at ${dossier.createdAt} by ${dossier.product.name} ${dossier.product.version}.
You need no account and no tool of ours: each check below uses public tools, and no network once they are installed. Run the commands in
the folder into which you unpacked the bundle. \`dossier.pdf\` is for reading, \`dossier.json\` says the same for machines.`,
    `## 1. Nothing was changed in this bundle

    sha256sum -c ${BUNDLE_PATHS.sums}

(macOS: \`shasum -a 256 -c ${BUNDLE_PATHS.sums}\`.) Proves that the files fit together as they were packed. By itself it
does not prove who packed them; checks 3 and 4 do.`,
    `## 2. Everything at once

    npx colophon verify evidence.zip
    npx colophon verify evidence.zip --vkey '<the key of the log, which you got from elsewhere>'

Does all checks of this page offline and names each fault. Exit code 0: valid, 1: invalid, 2: cannot be read.`,
    `## 3. The media file is the signed one

    sha256sum ${assetPath(assetFileName)}
    c2patool ${assetPath(assetFileName)}
    c2patool ${assetPath(assetFileName)} trust --trust_anchors ${BUNDLE_PATHS.trustAnchors}

The first prints \`${asset.sha256}\`, the hash in the log. \`c2patool\` (Content Authenticity Initiative)
prints the C2PA manifests in the file, with each step of its making as an ingredient, and validates signature and hashes;
with \`trust\` it also checks that the certificate was issued by the authority in \`${BUNDLE_PATHS.trustAnchors}\`. Proves
that the picture and what its manifest says were not changed since they were signed. Compare the authority with the one
that the organization names elsewhere: it is part of this bundle, so it does not vouch for itself.`,
    logSection(dossier),
    ...(hasOpenings ? [OPENINGS] : []),
    `## ${hasOpenings ? '6' : '5'}. What none of this proves

- That the key in \`${BUNDLE_PATHS.vkey}\` belongs to the organization: get it from another place, e.g. from an earlier report,
  a contract, or the log's own address (${log.origin}), and compare.
- That everybody was shown the same log. Only witnesses or other holders of checkpoints can say so; keep \`${BUNDLE_PATHS.checkpoint}\`
  and compare it with those of others.
- The time of an entry: it is the operator's clock.
- That what was recorded is true, that the asset infringes nothing, or that it is protected by copyright. This is not legal
  advice.`,
    '',
  ].join('\n\n');
}

function logSection({ asset, log }: AssetDossier): string {
  return `## 4. The record was in the log and has not changed since

\`${entryPath(asset.entryIndex)}\` is the entry that recorded the signing; \`${proofPath(asset.entryIndex)}\` proves its place in the log
(format: c2sp.org/tlog-proof). All proofs lead to one signed tree head, \`${BUNDLE_PATHS.checkpoint}\` (c2sp.org/tlog-checkpoint),
which says that the log \`${log.origin}\` had ${log.treeSize} entries and the root \`${log.rootHash}\`.

The hash of an entry in the tree (RFC 6962 section 2.1), with a shell alone:

    (printf '\\0'; cat ${entryPath(asset.entryIndex)}) | sha256sum

Signature and place, with the packages that the Go team wrote for its own module log. Save as \`main.go\` beside this file:

\`\`\`go
${LOG_CHECK_PROGRAM}\`\`\`

    go mod init verify && go get golang.org/x/mod/sumdb/tlog@v0.21.0 && go run main.go

Proves that the holder of the log's key had these entries, byte for byte, in the log when it signed that tree head.`;
}

const OPENINGS = `## 5. Disclosed values are those that were recorded

Prompts and statements of people are in the log only as salted hashes ("sealed" in an entry). \`openings/<index>.json\` holds
the values that this bundle discloses. For a field of an entry, here \`prompt\` of entry N:

    (jq -r '.openings.prompt.salt + "=" | gsub("-";"+") | gsub("_";"/")' openings/N.json | base64 -d
     jq -j '.openings.prompt.value' openings/N.json) | openssl dgst -sha256 -binary | base64 | tr '+/' '-_' | tr -d '='
    jq -r '.sealed.prompt' entries/N.json

Both lines must be equal. Proves that this value, and no other, was sealed when the entry was written.`;
