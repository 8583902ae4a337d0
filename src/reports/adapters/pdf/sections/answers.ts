import { counselAnswers } from '../../../domain/counsel-questions.js';
import { type AssetDossier } from '../../../domain/dossier.js';
import { type Paper } from '../paper.js';
import { drawTable } from '../table.js';
import { STYLES } from '../theme.js';

/** What counsel asks, what the record answers, and which entries of the log it rests on. */
export function drawAnswers(paper: Paper, dossier: AssetDossier): void {
  paper.beginSection(
    'Questions that counsel asks',
    'Answered from the record alone. "Entry" is the number in the log.',
  );
  drawTable(paper, {
    columns: [
      { title: 'Question', share: 27 },
      { title: 'What the record says', share: 60 },
      { title: 'Entry', share: 13 },
    ],
    rows: counselAnswers(dossier).map(({ question, answer, entryIndices, answered }) => [
      { text: question, style: STYLES.cellStrong },
      answered ? answer : [{ text: 'Not settled by the record.', style: STYLES.cellStrong }, answer],
      { text: entries(entryIndices), style: STYLES.label },
    ]),
  });
}

function entries(indices: readonly number[]): string {
  const sorted = [...new Set(indices)].sort((a, b) => a - b);
  const shown = sorted.slice(0, 12).join(', ');
  return sorted.length > 12 ? `${shown}, \u2026` : shown;
}
