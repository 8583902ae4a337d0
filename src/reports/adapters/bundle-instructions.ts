import { type AssetDossier } from '../domain/dossier.js';
import { assetPath, BUNDLE_PATHS, entryPath, proofPath, sidecarPath } from '../domain/bundle-format.js';
import { witnessingWords } from '../domain/witnessing-words.js';
import { logCheckProgram } from './log-check-program.js';

export interface BundleParts {
  readonly assetFileName: string;
  /** The manifest is a file of its own beside the media file. */
  readonly hasSidecar: boolean;
  readonly hasOpenings: boolean;
  readonly timeStampPaths: readonly string[];
  readonly hasTimeStampRoots: boolean;
  readonly attachmentIds: readonly string[];
  /** There are authorities that vouch for names. */
  readonly hasIdentityAnchors: boolean;
}

/** `VERIFY.md`: how a stranger checks the bundle with public tools, and what each check proves. */
export function bundleInstructions(dossier: AssetDossier, parts: BundleParts): string {
  const { log } = dossier;
  const sections = [
    SUMS,
    EVERYTHING,
    BROWSER,
    parts.hasSidecar
      ? sidecarSection(dossier, parts.assetFileName)
      : mediaSection(dossier, parts.assetFileName),
    ...(parts.hasIdentityAnchors ? [IDENTITIES] : []),
    logSection(dossier),
    ...(log.witnessing.witnesses.length > 0 ? [witnessSection(dossier)] : []),
    ...(parts.timeStampPaths.length > 0 ? [timeSection(parts)] : []),
    ...(parts.hasOpenings ? [OPENINGS] : []),
    ...(parts.attachmentIds.length > 0 ? [attachmentSection(parts.attachmentIds)] : []),
    REPORT_SIGNATURE,
    limitsSection(dossier),
  ];
  const numbered = sections.map(({ title, text }, i) => `## ${i + 1}. ${title}\n\n${text}`);
  return [introduction(dossier), ...numbered, ''].join('\n\n');
}

interface Section {
  readonly title: string;
  readonly text: string;
}

function introduction({ asset, createdAt, product }: AssetDossier): string {
  return `# How to verify this bundle

This bundle is evidence about one media file, ${asset.id}, prepared at ${createdAt} by ${product.name} ${product.version}.
You need no account and no tool of ours: each check below uses public tools, and no network once they are installed. Run the commands in
the folder into which you unpacked the bundle. \`dossier.pdf\` is for reading, \`dossier.json\` says the same for machines.`;
}

const SUMS: Section = {
  title: 'Nothing was changed in this bundle',
  text: `    sha256sum -c ${BUNDLE_PATHS.sums}

(macOS: \`shasum -a 256 -c ${BUNDLE_PATHS.sums}\`.) Proves that the files fit together as they were packed. By itself it
does not prove who packed them: whoever changes a file can write its hash anew. The signature of the report does, see below.`,
};

const EVERYTHING: Section = {
  title: 'Everything at once',
  text: `    npx --no-install colophon verify evidence.zip --vkey '<the key of the log, which you got from elsewhere>'
    npx --no-install colophon verify evidence.zip --report-trust <authorities for reports that you know>
    npx --no-install colophon verify evidence.zip --vkey ... --policy <your tlog-policy file> --tsa-roots <roots.pem that you trust>

In the folder of the program, as its repository has it. It is on no package registry: a package of that name there is not ours.

Does all checks of this page offline and names each fault. Exit code 0: valid, 1: invalid, 2: cannot be read, or not
proved. Without the key of the log or an authority for reports from elsewhere it is not proved who made the bundle: anybody
could have, with a log and certificates of their own. A witness policy that is not met is no fault of the evidence and
leaves exit code 0: the output says that it is not met. What was recorded after this bundle was made, such as a recall, is
not in it.`,
};

const BROWSER: Section = {
  title: 'In a browser, without installing anything',
  text: `Open \`${BUNDLE_PATHS.verifierPage}\`, enter the key of the log as you know it, and choose the bundle, or the folder into which you
unpacked it. The page checks hashes, the log, disclosed values, and the signatures of \`${BUNDLE_PATHS.dossierJws}\` and \`${BUNDLE_PATHS.signedIndex}\` by a
key that the log names; its own policy forbids it all network. It names what it does not check. It came with the bundle, so it does not vouch for itself: take it from a bundle that you trust, or use the tools below.`,
};

function attachmentSection(ids: readonly string[]): Section {
  return {
    title: 'Files that people attached to their records',
    text: `    sha256sum attachments/*
    jq -c 'select(.type=="contribution.attached") | .data | {attachmentId, sha256, sizeBytes}' entries/*.json

This bundle holds ${ids.length}. Each hash must be the one that the log recorded when the file was attached. Proves that these bytes were
attached to that record before the signed state of the log; not what they show, nor when they were made.`,
  };
}

const REPORT_SIGNATURE: Section = {
  title: 'Who made this report',
  text: `\`${BUNDLE_PATHS.dossierPdf}\` is signed as a whole (PAdES), and \`${BUNDLE_PATHS.dossierJws}\` is \`${BUNDLE_PATHS.dossierJson}\`, signed (JWS, RFC 7515, certificate in its header).

    pdfsig ${BUNDLE_PATHS.dossierPdf}
    cut -d. -f2 ${BUNDLE_PATHS.dossierJws} | tr '_-' '/+' | base64 -di 2>/dev/null | cmp - ${BUNDLE_PATHS.dossierJson}
    cut -d. -f2 ${BUNDLE_PATHS.signedIndex} | tr '_-' '/+' | base64 -di 2>/dev/null | cmp - ${BUNDLE_PATHS.index}
    jq -r '.files[] | .sha256 + "  " + .path' ${BUNDLE_PATHS.index} | sha256sum -c
    cut -d. -f1 ${BUNDLE_PATHS.signedIndex} | tr '_-' '/+' | base64 -di 2>/dev/null | jq -r '.x5c[0]' | base64 -d | sha256sum
    jq -r 'select(.type=="report_key.activated") | .data.certificateSha256' entries/*.json

The first shows who signed the PDF and whether it was changed since; it trusts the certificate only when you have told it the
authority. The next two show that the signed facts are those of \`${BUNDLE_PATHS.dossierJson}\`, and the signed list of all files that
of \`${BUNDLE_PATHS.index}\`; the fourth compares every file with that list. The signatures themselves are checked by any JWS library,
and by the command under "Everything at once". A certificate proves nothing by itself: anybody can make one with these
names. The last two print its hash, and the hash of the certificate that the log names as one of the installation: they must
be equal, in a log whose key you know. Or get the authority, \`${BUNDLE_PATHS.reportAnchors}\`, from elsewhere and compare. Proves who
vouches for this bundle; not that what it says is true. \`${BUNDLE_PATHS.certification}\` is a draft for FRE 902(13) and (14) that no person
has signed.`,
};

const IDENTITIES: Section = {
  title: 'Who is named in the manifest',
  text: `    jq -r '.asOf, (.lists[] | .name, .anchorsPem)' ${BUNDLE_PATHS.identityAnchors}
    npx --no-install colophon verify evidence.zip --identity-trust <authorities that you know>

A name in a manifest (\`cawg.identity\`, CAWG Identity 1.3) is signed with a key of its own. Whether the certificate of that
key proves the name is said by authorities: not those of the signer of the manifest. \`${BUNDLE_PATHS.identityAnchors}\`
holds those that the installation believed on the day \`asOf\`, each list with its own date. They came with this bundle, so
compare them with authorities that you know; a development authority proves no name and says so in its certificates.`,
};

function mediaSection({ asset }: AssetDossier, assetFileName: string): Section {
  return {
    title: 'The media file is the signed one',
    text: `    sha256sum ${assetPath(assetFileName)}
    c2patool ${assetPath(assetFileName)}
    c2patool ${assetPath(assetFileName)} trust --trust_anchors ${BUNDLE_PATHS.trustAnchors}

The first prints \`${asset.sha256}\`, the hash in the log. \`c2patool\` (Content Authenticity Initiative)
prints the C2PA manifests in the file, with each step of its making as an ingredient, and validates signature and hashes;
with \`trust\` it also checks that the certificate was issued by the authority in \`${BUNDLE_PATHS.trustAnchors}\`. Proves
that the file and what its manifest says were not changed since they were signed. Compare the authority with the one
that the organization names elsewhere: it is part of this bundle, so it does not vouch for itself.`,
  };
}

function sidecarSection({ asset }: AssetDossier, assetFileName: string): Section {
  const [file, manifest] = [assetPath(assetFileName), sidecarPath(assetFileName)];
  return {
    title: 'The media file is the signed one',
    text: `    sha256sum ${file}
    sha256sum ${manifest}
    c2patool ${file} --external-manifest ${manifest}
    c2patool ${file} --external-manifest ${manifest} trust --trust_anchors ${BUNDLE_PATHS.trustAnchors}
    npx --no-install colophon verify ${file} --manifest ${manifest} --trust ${BUNDLE_PATHS.trustAnchors}

Files of this kind cannot carry a manifest, so it is a file of its own (C2PA sidecar). The first two print
\`${asset.sha256}\` and \`${asset.manifestSha256}\`, the hashes in the log. \`c2patool\`
(Content Authenticity Initiative) prints the manifest and validates signature and hashes; with \`trust\` it also checks that
the certificate was issued by the authority in \`${BUNDLE_PATHS.trustAnchors}\`. Versions of it that do not know this kind of
file refuse; the last command does the same with our program. Proves that the file and what its manifest says were not
changed since they were signed. Compare the authority with the one that the organization names elsewhere: it is part of
this bundle, so it does not vouch for itself.`,
  };
}

function logSection({ asset, log }: AssetDossier): Section {
  const isWitnessed = log.witnessing.witnesses.length > 0;
  const packages = isWitnessed
    ? [
        'golang.org/x/mod/sumdb/tlog@v0.36.0',
        'github.com/transparency-dev/formats/note@v0.1.1',
        'github.com/transparency-dev/tessera@v1.0.4',
      ]
    : ['golang.org/x/mod/sumdb/tlog@v0.21.0'];
  return {
    title: 'The record was in the log and has not changed since',
    text: `\`${entryPath(asset.entryIndex)}\` is the entry that recorded the signing; \`${proofPath(asset.entryIndex)}\` proves its place in the log
(format: c2sp.org/tlog-proof). All proofs lead to one signed tree head, \`${BUNDLE_PATHS.checkpoint}\` (c2sp.org/tlog-checkpoint),
which says that the log \`${log.origin}\` had ${log.treeSize} entries and the root \`${log.rootHash}\`.

The hash of an entry in the tree (RFC 6962 section 2.1), with a shell alone:

    (printf '\\0'; cat ${entryPath(asset.entryIndex)}) | sha256sum

Signature and place${isWitnessed ? ', cosignatures and policy' : ''}, with published Go packages. Save as \`main.go\` beside this file:

\`\`\`go
${logCheckProgram(isWitnessed)}\`\`\`

    go mod init verify
    go get ${packages.join(' ')}
    go run main.go

Proves that the holder of the log's key had these entries, byte for byte, in the log when it signed that tree head.`,
  };
}

function witnessSection({ log }: AssetDossier): Section {
  return {
    title: 'Witnesses have seen this same log',
    text: `\`${BUNDLE_PATHS.policy}\` (c2sp.org/tlog-policy) names the log, the witnesses and how many of them are enough. Each line
\`\u2014 <witness> ...\` in \`${BUNDLE_PATHS.checkpoint}\` is a cosignature (c2sp.org/tlog-cosignature): that witness checked that
the log had only grown since it saw it last. The program of the check before this one verifies each cosignature with
\`formats/note\`, prints its time, and decides with \`tessera.NewWitnessGroupFromPolicy\` whether the policy is met. When this
bundle was made: ${witnessingWords(log.witnessing)}

Proves that there were not two histories of this log, one for you and one for others, as far as you trust these witnesses.
The policy came with the bundle: it proves what the holders of its keys did, not who they are. Compare the keys with
those that the witnesses publish themselves, or use a policy of your own.`,
  };
}

function timeSection({ timeStampPaths, hasTimeStampRoots }: BundleParts): Section {
  const roots = hasTimeStampRoots ? BUNDLE_PATHS.timeStampRoots : '<roots.pem of the authority>';
  const commands = timeStampPaths.map(
    (path) => `    openssl ts -verify -token_in -in ${path} -data ${BUNDLE_PATHS.stampedText} -CAfile ${roots}
    openssl ts -reply -token_in -in ${path} -token_out -text`,
  );
  return {
    title: 'The record existed at a certain time',
    text: `\`${BUNDLE_PATHS.stampedText}\` holds the three lines that the log signed, the text of \`${BUNDLE_PATHS.checkpoint}\` before its
blank line:

    sed '/^$/q' ${BUNDLE_PATHS.checkpoint} | sed '/^$/d' | cmp - ${BUNDLE_PATHS.stampedText}

A time-stamp authority signed its hash and the time (RFC 3161). The first command of a pair must print "Verification: OK",
the second prints the time:

${commands.join('\n')}

Proves that all entries under this tree head existed at that time or before, as far as you trust that authority. ${
      hasTimeStampRoots
        ? `Its root
certificates came with the bundle: compare them with those that the authority publishes.`
        : 'Get its root\ncertificates from the authority itself.'
    }`,
  };
}

const OPENINGS: Section = {
  title: 'Disclosed values are those that were recorded',
  text: `Prompts and statements of people are in the log only as salted hashes ("sealed" in an entry). \`openings/<index>.json\` holds
the values that this bundle discloses. For a field of an entry, here \`prompt\` of entry N:

    (jq -r '.openings.prompt.salt + "=" | gsub("-";"+") | gsub("_";"/")' openings/N.json | base64 -d
     jq -j '.openings.prompt.value' openings/N.json) | openssl dgst -sha256 -binary | base64 | tr '+/' '-_' | tr -d '='
    jq -r '.sealed.prompt' entries/N.json

Both lines must be equal. Proves that this value, and no other, was sealed when the entry was written.`,
};

function limitsSection({ log }: AssetDossier): Section {
  const unseen =
    log.witnessing.isMet === true
      ? []
      : [
          `- That everybody was shown the same log. Only enough witnesses or other holders of checkpoints can say so; keep \`${BUNDLE_PATHS.checkpoint}\`
  and compare it with those of others.`,
        ];
  const time =
    log.timeStamps.length > 0
      ? "- When exactly an entry was written: its own time is the operator's clock. The time-stamp says only that it was not later."
      : "- The time of an entry: it is the operator's clock.";
  return {
    title: 'What none of this proves',
    text: [
      `- That the key in \`${BUNDLE_PATHS.vkey}\` belongs to the organization: get it from another place, e.g. from an earlier report,
  a contract, or the log's own address (${log.origin}), and compare.`,
      ...unseen,
      time,
      `- That what was recorded is true, that the asset infringes nothing, or that it is protected by copyright. This is not legal
  advice.`,
    ].join('\n'),
  };
}
