import { type MarkingDuties, type MarkingDuty } from '../domain/marking-duty.js';

const BEGIN = '<!-- calendar: begin -->';
const END = '<!-- calendar: end -->';

/**
 * The document with the calendar as it is in the data, one section a jurisdiction: what is not verified is said where
 * the duty stands.
 * @throws RangeError when the document has no place for it
 */
export function withCalendar(document: string, calendar: MarkingDuties): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new RangeError('the document has no place for the calendar');
  return `${document.slice(0, begin + BEGIN.length)}\n\n${calendarText(calendar)}\n${document.slice(end)}`;
}

function calendarText({ readOn, sha256, duties }: MarkingDuties): string {
  const head = `Calendar of ${readOn}, ${duties.length} duties. SHA-256 of the data: \`${sha256}\`.`;
  const names = [...new Set(duties.map(({ jurisdiction }) => jurisdiction.name))];
  const sections = names.map((name) => {
    const own = duties.filter(({ jurisdiction }) => jurisdiction.name === name);
    return `### ${name}\n\n${own.map(dutyText).join('\n')}`;
  });
  return `${head}\n\n${overview(duties)}\n\n${sections.join('\n')}`;
}

function overview(duties: readonly MarkingDuty[]): string {
  const rows = duties.map(({ id, jurisdiction, owedBy, inForce, source, verified }) => {
    const from = `${inForce.date ?? 'unknown'}${inForce.verified ? '' : ' (not verified)'}`;
    const read = `${source.basis}, ${source.dateRead}`;
    return `| ${jurisdiction.name} | \`${id}\` | ${owedBy} | ${from} | ${verified ? 'yes' : 'no'} | ${read} |`;
  });
  const head = '| where | duty | owed by | in force from | text verified | source, read on |';
  return `${head}\n| --- | --- | --- | --- | --- | --- |\n${rows.join('\n')}`;
}

function dutyText(duty: MarkingDuty): string {
  const { inForce, transition, source } = duty;
  const since = `${inForce.date ?? 'unknown'} (${inForce.verified ? 'verified' : 'NOT VERIFIED'}: ${inForce.note})`;
  const address = source.url === null ? source.title : `[${source.title}](${source.url})`;
  const rows = [
    ['Law', `${duty.law}, ${source.section}`],
    ['Status, in force from', `${duty.status}; ${since}`],
    ...(transition
      ? [
          [
            'Transition',
            `until ${transition.until} for ${transition.forWhom} (${transition.verified ? 'verified' : 'NOT VERIFIED'})`,
          ],
        ]
      : []),
    ['Who owes it', `${duty.owedBy}: ${duty.who}`],
    ['What', `${duty.owed}, due ${duty.due}: ${duty.what}`],
    ['For which content', `${duty.content}, made by ${duty.technology}; ${duty.media.join(', ')}`],
    ...(duty.jurisdiction.possiblyAlso.length > 0
      ? [['Perhaps also in', duty.jurisdiction.possiblyAlso.join(', ')]]
      : []),
    ...(duty.exemptions.length > 0 ? [['Exemptions', duty.exemptions.join(' ')]] : []),
    ['Proved by the program', provedText(duty)],
    ['Text verified', duty.verified ? 'yes' : `NOT VERIFIED: ${duty.notVerified ?? ''}`],
    ['Source', `${address}, ${source.basis}, read on ${source.dateRead}`],
  ];
  const table = rows.map(([name = '', text = '']) => `| ${name} | ${text.replaceAll('|', '\\|')} |`);
  return `#### \`${duty.id}\`\n\n| | |\n| --- | --- |\n${table.join('\n')}\n`;
}

function provedText({ systemProof }: MarkingDuty): string {
  if (systemProof === null) return 'nothing';
  return `${systemProof.extent === 'whole' ? 'as a whole' : 'in part'}: ${systemProof.proves} What remains: ${systemProof.remains}`;
}
