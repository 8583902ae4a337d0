import { type AssetDossier, type DossierGap } from '../../../domain/dossier.js';
import { type Paper } from '../paper.js';
import { type Pictures } from '../pictures.js';
import { drawFacts, drawTable } from '../table.js';
import { COLORS, CONTENT_WIDTH, PAGE, STYLES } from '../theme.js';
import {
  capitalized,
  dateTime,
  personName,
  short,
  fileText,
  lastMadeBy,
  statusOf,
  twoLines,
  verdictSentence,
} from '../words.js';

const PICTURE = { width: 178, height: 178 } as const;

/** What this asset is, before anything else. */
export function drawFirstPage(paper: Paper, pictures: Pictures, dossier: AssetDossier): void {
  const { asset } = dossier;
  paper.text(`${dossier.product.name}   Asset dossier`, { ...STYLES.strong, color: COLORS.accent });
  paper.y += 4;
  paper.text(asset.title === '' ? 'Untitled asset' : short(asset.title), STYLES.title, { tag: 'H1' });
  paper.y += 6;
  drawStatus(paper, statusOf(dossier));
  paper.text(verdictSentence(dossier), STYLES.lead);
  paper.y += 12;
  const top = paper.y;
  const figure = paper.element('Figure', undefined, { alt: `The asset: ${short(asset.title)}` });
  const area = { x: PAGE.left, y: top, ...PICTURE };
  paper.mark(figure, 'Figure', () => pictures.draw(asset.id, area));
  figure.end();
  const x = PAGE.left + PICTURE.width + 18;
  drawFacts(paper, identity(dossier), { x, width: CONTENT_WIDTH - PICTURE.width - 18, labelShare: 0.27 });
  paper.y = Math.max(paper.y, top + PICTURE.height + 8);
}

function drawStatus(paper: Paper, status: string): void {
  const text = status.toUpperCase();
  paper.doc.font('strong').fontSize(STYLES.chip.size);
  const width = paper.doc.widthOfString(text) + 16;
  const top = paper.y;
  paper.artifact(() => paper.doc.roundedRect(PAGE.left, top, width, 17, 3).fill(COLORS.accent));
  const element = paper.element('P');
  paper.mark(element, 'P', () =>
    paper.line(text, PAGE.left + 8, top + 3.2, { ...STYLES.chip, color: COLORS.paper }),
  );
  element.end();
  paper.y = top + 26;
}

function identity(
  dossier: AssetDossier,
): (readonly [string, string | { text: string; style: typeof STYLES.mono }])[] {
  const { asset, organization, project, useCase } = dossier;
  const mono = (text: string): { text: string; style: typeof STYLES.mono } => ({ text, style: STYLES.mono });
  return [
    ['Asset', mono(asset.id)],
    ['SHA-256', mono(twoLines(asset.sha256))],
    ['File', fileText(asset)],
    ['Last made by', capitalized(lastMadeBy(dossier))],
    ['Organization', short(organization.name)],
    [
      'Project',
      useCase === undefined ? short(project.name) : `${short(project.name)}, use case ${short(useCase)}`,
    ],
    ['Prepared', `${dateTime(dossier.createdAt)}, by ${personName(dossier.createdBy)}`],
    ['Report', mono(dossier.reportId)],
  ];
}

const SEVERITY: Readonly<Record<DossierGap['severity'], string>> = {
  open: 'Open',
  unknown: 'Unknown',
  note: 'Note',
};

/** What is missing stands before what is there. */
export function drawGaps(paper: Paper, { gaps }: AssetDossier): void {
  paper.beginSection('Gaps and unknowns');
  if (gaps.length === 0) {
    paper.text(
      'The record shows no gap. That is no proof that there is none: the report can only look where something was recorded.',
      STYLES.body,
    );
    return;
  }
  drawTable(paper, {
    columns: [
      { title: 'Kind', share: 13 },
      { title: 'What is missing or open', share: 87 },
    ],
    rows: gaps.map(({ severity, text }) => [
      { text: SEVERITY[severity], style: severity === 'note' ? STYLES.label : STYLES.cellStrong },
      text,
    ]),
  });
}
