import { type AssetDossier, type DossierAsset } from '../../../domain/dossier.js';
import { drawChain } from '../chain-diagram.js';
import { type Paper } from '../paper.js';
import { type Pictures } from '../pictures.js';
import { type Cell, drawFacts } from '../table.js';
import { CONTENT_WIDTH, PAGE, STYLES } from '../theme.js';
import {
  capitalized,
  dateTime,
  dollars,
  list,
  originWords,
  personName,
  plain,
  fileText,
  natureWords,
} from '../words.js';

const PICTURE = { width: 116, height: 104 } as const;

/** The chain of title: as a picture, then file by file. */
export function drawMaking(paper: Paper, pictures: Pictures, dossier: AssetDossier): void {
  const { chain } = dossier;
  paper.beginSection(
    'How it was made',
    `${chain.length === 1 ? 'One file' : `${chain.length} files`}, oldest first. Each was signed when it was made, and names the files it was made from.`,
    200,
  );
  drawChain(paper, pictures, chain);
  const numbers = new Map(chain.map(({ id }, i) => [id, i + 1]));
  chain.forEach((asset, i) => drawStep(paper, pictures, asset, i + 1, numbers));
}

function drawStep(
  paper: Paper,
  pictures: Pictures,
  asset: DossierAsset,
  number: number,
  numbers: ReadonlyMap<string, number>,
): void {
  paper.space(10);
  paper.ensure(PICTURE.height + 40);
  paper.text(`${number}.  ${originWords(asset)}`, STYLES.subheading, { tag: 'H3' });
  paper.y += 2;
  const top = paper.y;
  const page = paper.doc.bufferedPageRange().count;
  const figure = paper.element('Figure', undefined, { alt: `File ${number} of the chain` });
  paper.mark(figure, 'Figure', () => pictures.draw(asset.id, { x: PAGE.left, y: top, ...PICTURE }));
  figure.end();
  const x = PAGE.left + PICTURE.width + 14;
  const width = PAGE.left + CONTENT_WIDTH - x;
  drawFacts(paper, stepFacts(asset, numbers), { x, width, labelShare: 0.24, isCompact: true });
  // The facts may have gone on to another page, where there is no picture to stay clear of.
  if (paper.doc.bufferedPageRange().count === page) paper.y = Math.max(paper.y, top + PICTURE.height + 6);
}

function stepFacts(asset: DossierAsset, numbers: ReadonlyMap<string, number>): (readonly [string, Cell])[] {
  const { step, rights } = asset;
  const mono = (text: string): Cell => ({ text, style: STYLES.mono });
  const from = asset.parents.map(({ assetId, relationship }) => {
    const number = numbers.get(assetId);
    return `${number === undefined ? assetId : `file ${number}`} (${plain(relationship.replace(/([A-Z])/g, '_$1').toLowerCase())})`;
  });
  return [
    ['Title', asset.title],
    ['Made from', list(from, 'nothing earlier')],
    ...(step ? stepRows(step) : []),
    ['Nature', capitalized(natureWords(asset))],
    ...(rights ? ([['Declared rights', recordText(rights)]] as const) : []),
    ...(asset.fileReading ? ([['The file reserves', readingText(asset.fileReading)]] as const) : []),
    ...(asset.fileReading?.saysModel
      ? ([['The file says', asset.fileReading.saysModel.join('; ')]] as const)
      : []),
    ['By, on', `${personName(asset.createdBy)}, ${dateTime(asset.createdAt)}`],
    ['File', fileText(asset)],
    ...(asset.contentRemoved
      ? ([
          [
            'Removed',
            `on ${dateTime(asset.contentRemoved.removedAt)} by a retention rule, entry ${asset.contentRemoved.entryIndex}: the file cannot be shown any more`,
          ],
        ] as const)
      : []),
    ['Asset, entry', mono(`${asset.id}, entry ${asset.entryIndex}`)],
    ['SHA-256', { text: asset.sha256, style: STYLES.hash }],
    ['As it came in', { text: asset.originalSha256, style: STYLES.hash }],
    ['Signed claim', { text: asset.claimSha256, style: STYLES.hash }],
    ...(asset.manifestPlacement === 'sidecar'
      ? ([['Manifest (own file)', { text: asset.manifestSha256, style: STYLES.hash }]] as const)
      : []),
  ];
}

function stepRows(step: NonNullable<DossierAsset['step']>): (readonly [string, Cell])[] {
  const claims = Object.keys(step.claims).length > 0 ? recordText(step.claims) : 'none';
  return [
    ['Made with', `${step.listingId}, through ${step.provider}`],
    ['Step', `${step.stepKey} of run ${step.runId}`],
    ['Cost', `${dollars(step.costMicroUsd)} (${plain(step.costBasis)})`],
    ['Vendor claims', `${claims}${claims === 'none' ? '' : ' (not verified by us)'}`],
  ];
}

function readingText({ reserved, unreadPlaces }: NonNullable<DossierAsset['fileReading']>): string {
  const found = reserved.length === 0 ? 'nothing that was found' : reserved.join('; ');
  return unreadPlaces.length === 0 ? found : `${found}; could not be read: ${unreadPlaces.join(', ')}`;
}

/** A word of our vocabulary; anything else is a value, and values are shown as they are. */
const TOKEN = /^[a-z]+(?:_[a-z]+)+$/;

/** A small record in one line of text. */
export function recordText(record: Readonly<Record<string, unknown>>): string {
  return Object.entries(record)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => {
      const text =
        typeof value !== 'string' ? JSON.stringify(value) : TOKEN.test(value) ? plain(value) : value;
      return `${plain(key.replace(/([A-Z])/g, ' $1').toLowerCase())}: ${text}`;
    })
    .join('; ');
}
