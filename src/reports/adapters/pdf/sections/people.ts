import { type AssetDossier, type DossierContribution } from '../../../domain/dossier.js';
import { reviewsOf, standingOf } from '../../../domain/review-of-dossier.js';
import { type Paper } from '../paper.js';
import { type Pictures } from '../pictures.js';
import { type Cell, drawFacts } from '../table.js';
import { COLORS, CONTENT_WIDTH, PAGE, STYLES } from '../theme.js';
import { capitalized, dateTime, personName, plain, sealedText } from '../words.js';
import { counted } from '../../../../shared/counted.js';

/** Two of them with their words, one above the other, beside the facts: three records stand on one page. */
const PICTURE = { width: 116, height: 88 } as const;
const CAPTION_HEIGHT = 12;
const RECORD_HEIGHT = 2 * (PICTURE.height + CAPTION_HEIGHT);

/** Each human act with the picture before and after it, and the region that changed. */
export function drawContributions(paper: Paper, pictures: Pictures, dossier: AssetDossier): void {
  paper.beginSection(
    'Human contributions',
    'In the words of the people; each says whether it was recorded when it happened. The share of changed pixels is a fact about the files, never a measure of authorship. Prompts alone do not make authorship.',
    dossier.contributions.length === 0 ? undefined : RECORD_HEIGHT + 34,
  );
  if (dossier.contributions.length === 0 && (dossier.storyboards ?? []).length === 0)
    paper.text('No human contribution was recorded.', STYLES.body);
  dossier.contributions.forEach((contribution, i) => {
    drawContribution(paper, pictures, dossier, contribution, i + 1);
  });
  drawStoryboards(paper, dossier);
}

/** Orders in which the files of this report stand. The files of others are named by their ids alone. */
function drawStoryboards(paper: Paper, { storyboards = [], chain }: AssetDossier): void {
  const own = new Map(chain.map(({ id }, i) => [id, i + 1]));
  for (const {
    id,
    version,
    assetIds,
    orderedBy,
    orderedAt,
    rationale,
    rationaleErased,
    entryIndex,
  } of storyboards) {
    paper.ensure(120);
    paper.subheading(`Order of ${counted(assetIds.length, 'file')}, by ${personName(orderedBy)}`);
    const places = assetIds.flatMap((assetId, i) => {
      const number = own.get(assetId);
      return number === undefined ? [] : [`file ${number} of the chain at place ${i + 1}`];
    });
    drawFacts(paper, [
      ['Reasons', sealedText(rationale, rationaleErased, 'none')],
      ['Basis', 'Selection, coordination, arrangement; automatic: recorded as the order was given'],
      ['Places', places.length === 0 ? 'none of the files of this chain in this version' : places.join('; ')],
      ['Order', { text: assetIds.join(' '), style: STYLES.mono }],
      ['Time', dateTime(orderedAt)],
      ['Record', { text: `${id}, version ${version}, entry ${entryIndex}`, style: STYLES.mono }],
    ]);
  }
}

function drawContribution(
  paper: Paper,
  pictures: Pictures,
  dossier: AssetDossier,
  contribution: DossierContribution,
  number: number,
): void {
  paper.space(4);
  paper.subheading(
    `${number}.  ${capitalized(plain(contribution.actionType.toLowerCase()))}, by ${personName(contribution.contributor)}${laterWords(contribution)}`,
    RECORD_HEIGHT,
  );
  const top = paper.y;
  const page = paper.doc.bufferedPageRange().count;
  drawBeforeAndAfter(paper, pictures, dossier, contribution);
  const mono = (text: string): Cell => ({ text, style: STYLES.mono });
  const hash = (text: string): Cell => ({ text, style: STYLES.hash });
  const late = contribution.capture === 'declared_later' ? ' (declared later, not when it was done)' : '';
  const facts: readonly (readonly [string, Cell])[] = [
    ['Statement', sealedText(contribution.statement, contribution.statementErased, 'erased')],
    ['Basis', `${capitalized(plain(contribution.basis))}; ${plain(contribution.capture)}${late}`],
    [
      'Tool, time',
      `${sealedText(contribution.tool || undefined, contribution.toolErased, 'none')}; ${dateTime(contribution.createdAt)}`,
    ],
    ['Changed region', regionText(contribution)],
    ['Record', mono(`${contribution.id}, entry ${contribution.entryIndex}`)],
    ['Before, SHA-256', hash(contribution.beforeSha256)],
    ['After, SHA-256', hash(contribution.afterSha256)],
    ...recordFacts(contribution),
  ];
  const x = PAGE.left + PICTURE.width + 14;
  const width = PAGE.left + CONTENT_WIDTH - x;
  drawFacts(paper, facts, { x, width, labelShare: 0.24, isCompact: true });
  // Long words may have gone on to another page, where there is no picture to stay clear of.
  if (paper.doc.bufferedPageRange().count === page)
    paper.y = Math.max(paper.y, top + 2 * (PICTURE.height + CAPTION_HEIGHT));
}

/** Whoever reads the heading alone must not take a record for what it was at first. */
function laterWords({ corrections = [] }: DossierContribution): string {
  if (corrections.some(({ kind }) => kind === 'withdrawn')) return ' (withdrawn)';
  return corrections.some(({ kind }) => kind === 'amended') ? ' (amended later)' : '';
}

function regionText({ changedRegion: region }: DossierContribution): string {
  if (region === undefined) return 'not computed: the two versions are not pictures that can be compared';
  const share = (region.changedShare * 100).toFixed(region.changedShare < 0.1 ? 2 : 1);
  return `${region.width} x ${region.height} pixels at ${region.left}, ${region.top}; ${share} % of all pixels differ`;
}

function drawBeforeAndAfter(
  paper: Paper,
  pictures: Pictures,
  dossier: AssetDossier,
  { parentAssetId, assetId, changedRegion }: DossierContribution,
): void {
  const { y } = paper;
  const secondY = y + PICTURE.height + CAPTION_HEIGHT;
  const figure = paper.element('Figure', undefined, { alt: 'The file before and after the contribution' });
  paper.mark(figure, 'Figure', () => {
    paper.line('Before', PAGE.left, y, STYLES.small);
    paper.line(changedRegion ? 'After, changed region' : 'After', PAGE.left, secondY, STYLES.small);
    pictures.draw(parentAssetId, { x: PAGE.left, y: y + CAPTION_HEIGHT, ...PICTURE });
    const covered = pictures.draw(assetId, { x: PAGE.left, y: secondY + CAPTION_HEIGHT, ...PICTURE });
    const asset = dossier.chain.find(({ id }) => id === assetId);
    if (!changedRegion || asset?.width === undefined || !pictures.has(assetId)) return;
    const scale = covered.width / asset.width;
    const x = covered.x + changedRegion.left * scale;
    const top = covered.y + changedRegion.top * scale;
    const { width, height } = changedRegion;
    paper.doc
      .rect(x, top, width * scale, height * scale)
      .lineWidth(2.4)
      .stroke(COLORS.paper);
    paper.doc
      .rect(x, top, width * scale, height * scale)
      .lineWidth(1.2)
      .stroke(COLORS.accent);
  });
  figure.end();
}

/** What records of this version say besides; nothing of older ones. */
function recordFacts(contribution: DossierContribution): [string, string | Cell][] {
  const { engagement, assignment, shown, signatureKey, corrections = [], attachments = [] } = contribution;
  const facts: [string, string | Cell][] = [];
  if (engagement !== undefined)
    facts.push(['Engagement', `${plain(engagement)}; rights: ${plain(assignment ?? 'unknown')}`]);
  if (shown !== undefined && shown.length > 0) facts.push(['Shown', counted(shown.length, 'candidate')]);
  facts.push(['Signature', signatureText(signatureKey)]);
  for (const {
    kind,
    correctedBy,
    correctedAt,
    text,
    textErased,
    basis,
    actionType,
    entryIndex,
  } of corrections) {
    const changed = [actionType, basis].flatMap((word) =>
      word === undefined ? [] : plain(word.toLowerCase()),
    );
    const said = sealedText(text, textErased, 'no words');
    const how = changed.length === 0 ? '' : ` to ${changed.join(', ')}`;
    facts.push([
      `Later: ${kind}`,
      `By ${personName(correctedBy)}, ${dateTime(correctedAt)}, entry ${entryIndex}${how}: ${said}`,
    ]);
  }
  for (const { kind, sha256, id, removed } of attachments)
    facts.push([
      `Attached: ${plain(kind)}`,
      {
        text: `${id} ${sha256}${removed ? ` (the file was removed on ${removed.removedAt.slice(0, 10)}, entry ${removed.entryIndex})` : ''}`,
        style: STYLES.mono,
      },
    ]);
  return facts;
}

function signatureText(key: DossierContribution['signatureKey']): string {
  if (key === undefined) return 'Not signed by the contributor when it was made';
  return `By the contributor's own key ${key.id} (${key.algorithm}), registered by entry ${key.entryIndex}`;
}

const DECIDED = { approve: 'Approved', reject: 'Rejected', request_changes: 'Changes asked for' } as const;

export function drawApprovals(paper: Paper, dossier: AssetDossier): void {
  const { release, recall, asset } = dossier;
  paper.beginSection(
    'Approval and release',
    'A second person decides; whoever took part in making an asset, or started a run behind it, cannot.',
  );
  const reviews = reviewsOf(dossier);
  if (reviews.length === 0) {
    paper.text('Nobody has reviewed this asset yet.', STYLES.body);
    return;
  }
  const needed = dossier.approvalsNeeded === 2 ? '; two different people have to approve' : '';
  drawFacts(paper, [
    ['Standing', `${capitalized(plain(standingOf(dossier)))}${needed}`],
    ...reviews.flatMap((one): [string, string][] => [
      [
        'Decision',
        `${DECIDED[one.decision]} by ${personName(one.reviewer)}, ${dateTime(one.decidedAt)}, entry ${one.entryIndex}`,
      ],
      ['Comment', sealedText(one.comment, one.commentErased, 'none')],
      ...(one.checklist
        ? [
            [
              'Checklist',
              `${one.checklist.confirmed} of ${one.checklist.items} points confirmed; list ${one.checklist.sha256}`,
            ] as [string, string],
          ]
        : []),
    ]),
    [
      'Release',
      release
        ? `By ${personName(release.releasedBy)}, ${dateTime(release.releasedAt)}, entry ${release.entryIndex}`
        : 'Not released for publication',
    ],
    ...(recall
      ? [
          [
            'Recalled',
            `By ${personName(recall.recalledBy)}, ${dateTime(recall.recalledAt)}, entry ${recall.entryIndex}: ${plain(recall.reason)}. ${sealedText(recall.text, recall.textErased, '')}`,
          ] as [string, string],
        ]
      : []),
    ['For the file', { text: asset.sha256, style: STYLES.mono }],
  ]);
}
