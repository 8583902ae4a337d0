import { type DossierGap, type DossierSigner } from '../../domain/dossier.js';
import { type PdfSignaturePlace } from '../../domain/report-signature.js';
import { attach } from './attachments.js';
import { Paper } from './paper.js';
import { drawSignature } from './sections/signature.js';
import { type Cell, drawFacts, drawTable } from './table.js';
import { COLORS, STYLES } from './theme.js';
import { dateTime, short } from './words.js';

/** What every report that is no dossier has in common. */
export interface DocumentHead {
  readonly kind: string;
  readonly title: string;
  readonly reportId: string;
  readonly createdAt: string;
  readonly product: { readonly name: string; readonly version: string };
  readonly organization: { readonly name: string };
  readonly facts: readonly (readonly [string, Cell])[];
  readonly gaps: readonly DossierGap[];
  readonly signedBy?: DossierSigner | undefined;
}

export interface SignedDocument {
  readonly json: Buffer;
  readonly jws: Buffer;
  readonly place: PdfSignaturePlace;
}

const SEVERITY: Readonly<Record<DossierGap['severity'], string>> = {
  open: 'Open',
  unknown: 'Unknown',
  note: 'Note',
};

/** PDF/A-3a: head and gaps first, then what the kind has to say, then signature and limits; JSON and JWS attached. */
export async function renderDocumentPdf(
  head: DocumentHead,
  signed: SignedDocument,
  draw: (paper: Paper) => void | Promise<void>,
  limits: readonly string[],
): Promise<Buffer> {
  const createdAt = new Date(head.createdAt);
  const ascii = (text: string): string => text.replace(/[^A-Za-z0-9_.:@ -]/g, '');
  const paper = new Paper({
    title: `${head.kind} ${ascii(head.reportId)}`,
    subject: `Report ${ascii(head.reportId)}`,
    producer: ascii(`${head.product.name} ${head.product.version}`),
    createdAt,
  });
  attachJson(paper, signed, createdAt);
  drawHead(paper, head);
  drawGaps(paper, head.gaps);
  await draw(paper);
  paper.beginSection('How to verify this report');
  if (head.signedBy) drawSignature(paper, head.signedBy);
  paper.text(
    'The hash of this file is in the log of the organization (entry report.created). The log of the same time can be had as a complete export, which verifies offline.',
    STYLES.body,
  );
  paper.beginSection('What this report does not prove');
  paper.bullets(limits);
  if (paper.hasReplacements) {
    paper.y += 6;
    paper.text(
      'Some texts hold characters that the fonts of this report cannot print. Each is shown as \ufffd, and characters that change the direction of writing by their number in brackets. The attached JSON has the texts as they were written.',
      STYLES.small,
    );
  }
  return paper.finish(`${head.kind}   ${head.organization.name}`, signed.place);
}

function attachJson(paper: Paper, { json, jws }: SignedDocument, at: Date): void {
  const facts = { description: 'The facts of this report for machines', relationship: 'Data' as const };
  attach(paper, { ...facts, name: 'report.json', mediaType: 'application/json', bytes: json }, at);
  const description = 'The same facts, signed (JWS, compact serialization)';
  attach(paper, { ...facts, description, name: 'report.jws', mediaType: 'application/jose', bytes: jws }, at);
}

function drawHead(paper: Paper, head: DocumentHead): void {
  paper.text(`${head.product.name}   ${head.kind}`, { ...STYLES.strong, color: COLORS.accent });
  paper.y += 4;
  paper.text(short(head.title), STYLES.title, { tag: 'H1' });
  paper.y += 10;
  drawFacts(paper, [
    ...head.facts,
    ['Organization', short(head.organization.name)],
    ['Prepared', dateTime(head.createdAt)],
    ['Report', { text: head.reportId, style: STYLES.mono }],
  ]);
}

function drawGaps(paper: Paper, gaps: readonly DossierGap[]): void {
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
