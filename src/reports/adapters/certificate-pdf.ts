import { saysDevelopment } from '../../provenance/domain/development-certificate.js';
import { trustListWords } from '../../provenance/domain/trust-list.js';
import { type CertificateFacts, makingLines } from '../domain/certificate.js';
import { Paper } from './pdf/paper.js';
import { Pictures } from './pdf/pictures.js';
import { COLORS, CONTENT_WIDTH, PAGE, STYLES, type TextStyle } from './pdf/theme.js';
import { dateTime, exactTime, fileText, twoLines } from './pdf/words.js';

const PICTURE_SIDE = 150;
const LABEL_WIDTH = 78;
const GAP = 16;

/**
 * The certificate of provenance: one page (PDF/A-3a, tagged) for people who ask where a picture comes from. Every text
 * has a number of lines that it may take, so that a long one cannot push another off the page.
 */
export async function renderCertificatePdf(facts: CertificateFacts): Promise<Buffer> {
  const { asset, product, verifiedAt } = facts;
  const paper = new Paper({
    title: `Certificate of provenance ${asset.id.replace(/[^A-Za-z0-9_]/g, '')}`,
    subject: 'What the manifest of one asset says, and whether it holds',
    producer: `${product.name} ${product.version}`.replace(/[^A-Za-z0-9. -]/g, ''),
    createdAt: new Date(verifiedAt),
  });
  drawHead(paper, facts);
  drawPictureAndFile(paper, facts);
  drawSection(paper, 'Who signed it, and when', signerRows(facts));
  drawSection(paper, 'How it was made', makingRows(facts));
  drawSection(paper, 'Artificial intelligence', aiRows(facts));
  drawSection(paper, 'Does it hold', holdRows(facts));
  drawSection(paper, 'In the log', logRows(facts));
  drawSection(paper, 'Check it yourself', checkRows(facts));
  if (paper.hasReplacements)
    clipped(
      paper,
      'Characters that the font of this page does not have are shown as \ufffd.',
      STYLES.small,
      1,
      'P',
    );
  return paper.finish(`${asset.id}   verified ${exactTime(verifiedAt)}`);
}

/** Label, text, how many lines it may take, and in which style. */
type Row = readonly [label: string, text: string, maxLines: number, style?: TextStyle];

function drawHead(paper: Paper, { product, asset, result }: CertificateFacts): void {
  paper.text(`${product.name}   Certificate of provenance`, { ...STYLES.strong, color: COLORS.accent });
  paper.y += 2;
  clipped(
    paper,
    asset.title === '' ? 'Untitled asset' : asset.title,
    { ...STYLES.title, size: 17, leading: 22 },
    2,
    'H1',
  );
  paper.y += 3;
  clipped(paper, result.headline, STYLES.lead, 2, 'P');
  if (asset.mode === 'test')
    clipped(paper, 'Made with a test key: not for publication.', STYLES.strong, 1, 'P');
  paper.y += 8;
}

function drawPictureAndFile(paper: Paper, facts: CertificateFacts): void {
  const { asset, picture, result } = facts;
  const top = paper.y;
  const pictures = new Pictures(paper, picture ? [{ ...picture, assetId: asset.id }] : []);
  const figure = paper.element('Figure', undefined, { alt: 'The asset' });
  const area = { x: PAGE.left, y: top, width: PICTURE_SIDE, height: PICTURE_SIDE };
  paper.mark(figure, 'Figure', () => pictures.draw(asset.id, area));
  figure.end();
  const x = PAGE.left + PICTURE_SIDE + GAP;
  const { sha256, manifestSha256, claimSha256, chain } = result.verification;
  rows(
    paper,
    [
      ['Asset', asset.id, 1, STYLES.mono],
      ['File', fileText(asset), 1],
      ['SHA-256', twoLines(sha256), 2, STYLES.mono],
      ['Manifest', chain?.manifestLabel ?? 'none', 2, STYLES.mono],
      [
        'of which',
        manifestSha256 === undefined ? 'none' : `SHA-256 ${twoLines(manifestSha256)}`,
        3,
        STYLES.mono,
      ],
      ['Claim', claimSha256 === undefined ? 'none' : `SHA-256 ${twoLines(claimSha256)}`, 3, STYLES.mono],
    ],
    x,
    PAGE.width - PAGE.right - x,
  );
  paper.y = Math.max(paper.y, top + PICTURE_SIDE) + 4;
}

function signerRows({ result }: CertificateFacts): Row[] {
  const { signer, timeStamp, chain } = result.verification;
  if (signer === undefined) return [['Signer', 'Nobody: the file carries no signature that can be read.', 2]];
  const vouched =
    signer.list === undefined
      ? `Nobody on our lists: ${signer.notTrustedBecause ?? 'unknown'}.`
      : trustListWords(signer.list);
  const isDevelopment = signer.list !== undefined && saysDevelopment(signer.subject, signer.issuer);
  return [
    ['Signer', signer.subject, 2],
    ['Issued by', signer.issuer, 1],
    [
      'Trusted by',
      isDevelopment ? `${vouched}, by a development certificate: nobody outside trusts it` : vouched,
      2,
    ],
    ['When', timeText(timeStamp, chain?.signer?.signedAt), 2],
  ];
}

function timeText(
  timeStamp: CertificateFacts['result']['verification']['timeStamp'],
  claimed: string | undefined,
): string {
  if (timeStamp?.status === 'trusted') {
    const list = timeStamp.list === undefined ? '' : `, trusted by ${trustListWords(timeStamp.list)}`;
    return `${exactTime(timeStamp.at ?? '')}, time-stamped by ${timeStamp.authority ?? 'an authority'}${list}`;
  }
  if (timeStamp?.status === 'untrusted')
    return `${claimed ?? 'a time'}, time-stamped by an authority on none of our lists: a claim, no proof`;
  return timeStamp?.status === 'invalid'
    ? 'not known: the time-stamp does not hold'
    : 'not proved by a time-stamp: see the log below';
}

function makingRows({ result }: CertificateFacts): Row[] {
  const lines = makingLines(result.verification.chain);
  if (lines.length === 0) return [['Steps', 'The manifest names none.', 1]];
  return lines.map((line, i) => [i === 0 ? 'Newest first' : '', line, 1]);
}

function aiRows({ result }: CertificateFacts): Row[] {
  const { disclosure } = result.verification;
  if (disclosure === undefined) return [['Disclosure', 'The file says nothing.', 1]];
  const models = disclosure.models.map(({ name, identifier }) => name ?? identifier ?? 'an unnamed model');
  const kinds = [...new Set(disclosure.sourceTypes.map(({ meaning }) => meaning))];
  return [
    ['Disclosure', disclosure.text, 2],
    ...(kinds.length > 0 ? [['Sources', kinds.join('; '), 2] as Row] : []),
    ...(models.length > 0 ? [['Models', models.join('; '), 2] as Row] : []),
    ...(disclosure.trainingAndMining.length > 0
      ? [['Reuse', disclosure.trainingAndMining.map(({ text }) => text).join(' '), 3] as Row]
      : []),
  ];
}

const VERDICT_WORDS = {
  none: 'There is no manifest, so nothing can be said.',
  broken: 'NO. The file or its manifest was changed after signing.',
  intact: 'The file is unchanged since it was signed. The signer is on none of our lists.',
  intact_and_trusted: 'Yes. The file is unchanged since it was signed, by a signer on our lists.',
} as const;

function holdRows({ result }: CertificateFacts): Row[] {
  const { verdict, breaks } = result.verification;
  const places = breaks.slice(0, 3).map((each): Row => {
    const where = each.in === 'file' ? 'The file' : `Ingredient "${each.title ?? 'untitled'}"`;
    return ['Broken', `${where}: ${each.meaning} (${each.code})`, 2];
  });
  const rest: Row[] = breaks.length > 3 ? [['', `and ${breaks.length - 3} more`, 1]] : [];
  const history =
    result.verification.brokenIngredient && verdict !== 'broken'
      ? ' Something that it was made from does not hold.'
      : '';
  return [['Verdict', `${VERDICT_WORDS[verdict]}${history}`, 2, STYLES.cellStrong], ...places, ...rest];
}

function logRows({ result }: CertificateFacts): Row[] {
  const { place, text } = result.log;
  const known: Row[] =
    place === undefined
      ? []
      : [
          ['Entry', `${place.entryIndex ?? 'not yet numbered'}, recorded ${exactTime(place.recordedAt)}`, 1],
          ['Log', place.origin, 1, STYLES.mono],
          [
            'Checkpoint',
            place.checkpoint
              ? `signed ${exactTime(place.checkpoint.signedAt)} over ${place.checkpoint.treeSize} entries`
              : 'none covers the entry yet',
            1,
          ],
        ];
  return [['Standing', text, 3], ...known];
}

function checkRows({ verifiedAt }: CertificateFacts): Row[] {
  return [
    [
      'With us',
      'npx --no-install colophon verify FILE --trust claim-ca.pem, offline; or drop the file on our start page',
      1,
    ],
    [
      'Without us',
      'c2patool FILE reads the manifest; sha256sum FILE gives the hash above; any C2SP tlog client reads the log',
      2,
    ],
    [
      'What it is not',
      `This page repeats what the file said on ${dateTime(verifiedAt)}. It is no proof by itself: the file is. It is no statement that the content is true, free of rights of others, or protected by copyright.`,
      3,
    ],
  ];
}

function drawSection(paper: Paper, title: string, content: readonly Row[]): void {
  paper.y += 5;
  clipped(paper, title, { ...STYLES.subheading, color: COLORS.accent }, 1, 'H2');
  const lineY = paper.y + 1;
  paper.artifact(() => {
    paper.doc
      .moveTo(PAGE.left, lineY)
      .lineTo(PAGE.width - PAGE.right, lineY)
      .lineWidth(0.5)
      .stroke(COLORS.rule);
  });
  paper.y += 4;
  rows(paper, content, PAGE.left, CONTENT_WIDTH);
}

function rows(paper: Paper, content: readonly Row[], x: number, width: number): void {
  for (const [label, text, maxLines, style = STYLES.cell] of content) {
    const top = paper.y;
    clipped(paper, label, STYLES.label, 1, 'P', { x, width: LABEL_WIDTH - 6 });
    const below = paper.y;
    paper.y = top;
    clipped(paper, text, style, maxLines, 'P', { x: x + LABEL_WIDTH, width: width - LABEL_WIDTH });
    paper.y = Math.max(paper.y, label === '' ? 0 : below) + 0.5;
  }
}

/** At most so many lines; what is left out shows as an ellipsis. */
function clipped(
  paper: Paper,
  text: string,
  style: TextStyle,
  maxLines: number,
  tag: 'H1' | 'H2' | 'P',
  { x = PAGE.left, width = CONTENT_WIDTH }: { x?: number; width?: number } = {},
): void {
  const lines = paper.lines(text, style, width).filter((line, i) => i === 0 || line !== '');
  const shown = lines.slice(0, maxLines);
  if (lines.length > maxLines) shown[maxLines - 1] = `${(shown[maxLines - 1] ?? '').slice(0, -2)}\u2026`;
  const top = paper.y;
  const element = paper.element(tag);
  paper.mark(element, tag, () => {
    shown.forEach((line, i) => paper.line(line, x, top + i * style.leading, style));
  });
  element.end();
  paper.y = top + shown.length * style.leading;
}
