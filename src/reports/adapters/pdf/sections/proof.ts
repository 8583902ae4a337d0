import { type AssetDossier } from '../../../domain/dossier.js';
import { type Paper } from '../paper.js';
import { type Cell, drawFacts, drawTable } from '../table.js';
import { STYLES } from '../theme.js';
import { dateTime } from '../words.js';

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
    ['Verdict', verification.verdict.replaceAll('_', ' ')],
    [
      'Signer',
      `"${signer.commonName ?? 'unnamed'}", issued by "${signer.issuer ?? 'unknown'}"; trusted by ${verification.trustedBy ?? 'no list'}`,
    ],
    ['Manifests', `${verification.manifestCount} in the history of this file`],
    ['Label', mono(asset.manifestLabel)],
    ['Manifest, SHA-256', mono(asset.manifestSha256)],
    ['Claim, SHA-256', mono(asset.claimSha256)],
  ]);
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
    ['Tree size', `${log.treeSize} entries`],
    ['Root hash', mono(log.rootHash)],
  ]);
  paper.subheading('Signed tree head (checkpoint)');
  paper.text(log.checkpointNote.trimEnd(), STYLES.mono, { tag: 'Code' });
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
  });
}

export function drawVerification(paper: Paper, { asset, log }: AssetDossier): void {
  paper.beginSection(
    'How to verify this yourself',
    'With the evidence bundle of this report, on any machine, without network and without us.',
  );
  const steps: (readonly [string, string])[] = [
    [
      'All of it at once. Exit code 0 means valid. Take the key of the log from another source, not from this report.',
      `npx colophon verify evidence.zip --vkey '${log.vkey}'`,
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
    'VERIFY.md in the bundle shows how to check the log with the tools of the Go team, and each disclosed text with a shell.',
    STYLES.body,
  );
}

const LIMITS = [
  'This report is not legal advice, and a manifest is not a legal opinion.',
  'It does not promise that the asset infringes no right of others, or that it is protected by copyright.',
  'Prompts alone do not make a person the author of what a model returns. Contributions are recorded as declared; what follows from them is for counsel.',
  'License terms are paraphrased from the texts named above, as read on the given dates. The text decides, not the paraphrase.',
  'What vendors and uploaders claim is marked as their claim and was not verified.',
  'The log proves what was recorded and that it has not changed since, not that it is true. Times are the clock of the operator.',
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
