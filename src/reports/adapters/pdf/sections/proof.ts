import { type AssetDossier, type DossierWitnessing } from '../../../domain/dossier.js';
import { witnessingWords } from '../../../domain/witnessing-words.js';
import { type AttachedEvidence } from '../attachments.js';
import { type Paper } from '../paper.js';
import { type Cell, drawFacts, drawTable } from '../table.js';
import { STYLES } from '../theme.js';
import { drawSignature } from './signature.js';
import { dateTime, exactTime, twoLines } from '../words.js';
import { counted } from '../../../../shared/counted.js';

const mono = (text: string): Cell => ({ text, style: STYLES.mono });

export function drawManifest(paper: Paper, { asset, verification }: AssetDossier): void {
  paper.beginSection(
    'Manifest in the file',
    'Content Credentials (C2PA), read back from the signed file when this report was made.',
  );
  paper.bullets(verification.sentences);
  paper.y += 6;
  const { signer } = verification;
  drawFacts(paper, [
    [
      'Verdict',
      signer.isDevelopment === true && verification.verdict === 'intact_and_trusted'
        ? 'intact, and trusted by this installation alone'
        : verification.verdict.replaceAll('_', ' '),
    ],
    [
      'Signer',
      `"${signer.commonName ?? 'unnamed'}", issued by "${signer.issuer ?? 'unknown'}"; trusted by ${verification.trustedBy ?? 'no list'}`,
    ],
    ...(signer.isDevelopment === true
      ? [
          [
            'Certificate',
            'A development one: it proves no name, and nobody outside this installation trusts it',
          ] as const,
        ]
      : []),
    ['Manifests', `${verification.manifestCount} in the history of this file`],
    ['Label', mono(asset.manifestLabel)],
    ['Manifest, SHA-256', mono(asset.manifestSha256)],
    ['Claim, SHA-256', mono(asset.claimSha256)],
    ...(asset.certificateSha256 === undefined
      ? []
      : [['Certificate, SHA-256', mono(asset.certificateSha256)] as const]),
    ['Time of the signature', timeWords(asset)],
  ]);
}

function timeWords({ timeStamp }: AssetDossier['asset']): string {
  if (timeStamp === undefined) return 'not time-stamped: known by the log only';
  if (timeStamp.outcome === 'stamped') return `${timeStamp.time}, time-stamped by ${timeStamp.authority}`;
  return `not time-stamped: ${timeStamp.authority} gave no usable time-stamp (${timeStamp.reason})`;
}

export function drawLog(paper: Paper, { asset, log }: AssetDossier): void {
  paper.beginSection(
    'Place in the log',
    'Every fact of this report was written into an append-only log (RFC 6962). Whoever holds a signed tree head can prove that no earlier entry was changed, removed or back-dated.',
  );
  drawFacts(paper, [
    ['Log', mono(log.origin)],
    ['Key of the log', mono(log.vkey)],
    ['Entry of the asset', `${asset.entryIndex} (counted from 0)`],
    ['Tree size', counted(log.treeSize, 'entry', 'entries')],
    ['Root hash', mono(log.rootHash)],
  ]);
  paper.subheading('Signed tree head (checkpoint)');
  paper.text(log.checkpointNote.trimEnd(), STYLES.mono, { tag: 'Code' });
  drawWitnesses(paper, log.witnessing);
  drawTimeStamps(paper, log);
  paper.subheading('Entries that this report rests on');
  drawTable(paper, {
    columns: [
      { title: 'Entry', share: 9 },
      { title: 'Type', share: 24 },
      { title: 'Recorded', share: 31 },
      { title: 'About', share: 36 },
    ],
    rows: log.entries.map(({ index, type, recordedAt, subject }) => [
      String(index),
      type,
      dateTime(recordedAt),
      { text: subject, style: STYLES.monoSmall },
    ]),
    isCompact: true,
  });
}

function drawWitnesses(paper: Paper, witnessing: DossierWitnessing): void {
  paper.subheading('Witnesses');
  paper.text(WITNESS_VERDICTS[String(witnessing.isMet)] ?? '', STYLES.strong);
  paper.text(witnessingWords(witnessing), STYLES.body);
  if (witnessing.witnesses.length === 0) return;
  paper.y += 4;
  drawTable(paper, {
    columns: [
      { title: 'Witness', share: 20 },
      { title: 'Key', share: 45 },
      { title: 'Saw this log, by its own clock', share: 35 },
    ],
    rows: witnessing.witnesses.map(({ name, key, cosignedAt }) => [
      name,
      { text: key, style: STYLES.monoSmall },
      cosignedAt === undefined ? 'has not cosigned' : exactTime(cosignedAt),
    ]),
  });
}

const WITNESS_VERDICTS: Readonly<Record<string, string>> = {
  true: 'Enough witnesses have seen this same log.',
  false: 'The witness policy is not met: that everybody was shown this same log is not proved.',
  undefined: 'Nobody outside has seen this log: that there is only one history of it is not proved.',
};

function drawTimeStamps(paper: Paper, { timeStamps, timeStampsExpected }: AssetDossier['log']): void {
  paper.subheading('Time-stamps');
  if (timeStamps.length === 0) {
    paper.text(
      timeStampsExpected
        ? 'No time-stamp over this tree head had come when this report was made. The times are the clock of this installation.'
        : 'No authority is asked for time-stamps. The times are the clock of this installation.',
      STYLES.body,
    );
    return;
  }
  paper.text(
    'Everything under this tree head existed at these times or before (RFC 3161). The tokens are in the evidence bundle.',
    STYLES.body,
  );
  paper.y += 4;
  drawTable(paper, {
    columns: [
      { title: 'Existed by', share: 25 },
      { title: 'Authority', share: 30 },
      { title: 'Token, SHA-256', share: 45 },
    ],
    rows: timeStamps.map(({ at, authority, tokenSha256 }) => [
      exactTime(at),
      authority,
      { text: twoLines(tokenSha256), style: STYLES.monoSmall },
    ]),
  });
}

export function drawVerification(
  paper: Paper,
  { asset, log, signedBy }: AssetDossier,
  attached: AttachedEvidence | undefined,
): void {
  paper.beginSection(
    'How to verify this yourself',
    'With the evidence bundle of this report, on any machine, without network and without us.',
  );
  if (signedBy) {
    drawSignature(
      paper,
      signedBy,
      signedBy.keyEntryIndex === undefined
        ? 'No entry that this report rests on names the key'
        : `Entry ${signedBy.keyEntryIndex} names it as a report key of this installation`,
    );
  }
  const steps: (readonly [string, string])[] = [
    [
      'All of it at once. Exit code 0 means valid. Take the key of the log from another source, not from this report.',
      `npx --no-install colophon verify evidence.zip --vkey '${log.vkey}'`,
    ],
    [
      'The file is the one that this report is about: the hash must be the one on the first page.',
      `sha256sum assets/*\n${asset.sha256}`,
    ],
    ['Nothing in the unpacked bundle was changed after it was packed.', 'sha256sum -c SHA256SUMS'],
    [
      'The manifest in the file, by the tool of the Content Authenticity Initiative.',
      'c2patool assets/FILE trust --trust_anchors trust/claim-ca.pem',
    ],
  ];
  for (const [text, command] of steps) {
    paper.ensure(44);
    paper.text(text, STYLES.body);
    paper.text(command, STYLES.mono, { tag: 'Code' });
    paper.y += 7;
  }
  paper.text(
    'VERIFY.md in the bundle shows how to check the log and its witnesses with published Go packages, time-stamps with openssl, and each disclosed text with a shell.',
    STYLES.body,
  );
  if (attached) drawAttachments(paper, asset, attached);
}

function drawAttachments(
  paper: Paper,
  asset: AssetDossier['asset'],
  { names, mediaFileName }: AttachedEvidence,
): void {
  paper.subheading('Attached to this file');
  paper.text(
    `dossier.json, dossier.jws, ${names.join(', ')}. entries.ndjson holds each entry of the log that this report rests on, with the hashes that lead from it to the signed tree head in checkpoint.`,
    STYLES.body,
  );
  if (mediaFileName !== undefined) return;
  const why = asset.contentRemoved
    ? 'The media file was removed: only its hashes are left.'
    : 'The media file is too large to be attached here. It is in the evidence bundle.';
  paper.text(why, STYLES.body);
}

const LIMITS = [
  'This report is not legal advice, and a manifest is not a legal opinion.',
  'It does not promise that the asset infringes no right of others, or that it is protected by copyright.',
  'Prompts alone do not make a person the author of what a model returns. Contributions are recorded as declared; what follows from them is for counsel.',
  'License terms are paraphrased from the texts named above, as read on the given dates. The text decides, not the paraphrase.',
  'What vendors and uploaders claim is marked as their claim and was not verified.',
  'The log proves what was recorded and that it has not changed since, not that it is true. Times are the clock of the operator, unless a witness or a time-stamp authority is named for them.',
];

export function drawLimits(paper: Paper): void {
  paper.beginSection('What this report does not prove');
  paper.bullets(LIMITS);
  if (!paper.hasReplacements) return;
  paper.y += 6;
  paper.text(
    'Some texts hold characters that the fonts of this report cannot print. Each is shown as \ufffd, and characters that change the direction of writing by their number in brackets. The attached dossier.json has the texts as they were written.',
    STYLES.small,
  );
}
