import { counted } from '../../shared/counted.js';
import { formatUsd } from '../../shared/money.js';
import { type CampaignReport, type ModelSpent } from '../domain/campaign.js';
import { type Paper } from './pdf/paper.js';
import { type Cell, drawFacts, drawTable } from './pdf/table.js';
import { STYLES } from './pdf/theme.js';
import { plain } from './pdf/words.js';

/** What models made by themselves; what was paid for nothing, test work and people's steps stand apart. */
export function drawSpending(paper: Paper, report: CampaignReport): void {
  const { models, chargedFailures = [], testWork = [], peopleSteps } = report;
  paper.beginSection(
    'Models and costs',
    'Live steps that succeeded, by model listing. Charged failures, test work and steps of people stand apart. Money is in US dollars.',
  );
  drawFacts(paper, costFacts(report));
  if (models.length === 0) paper.text('No live step of a model succeeded.', STYLES.body);
  else {
    paper.y += 6;
    drawTable(paper, {
      columns: [
        { title: 'Model', share: 48 },
        { title: 'Steps', share: 14 },
        { title: 'Share', share: 16 },
        { title: 'Settled, USD', share: 22 },
      ],
      rows: models.map(({ listingId, steps, shareBasisPoints, settledMicroUsd }) => [
        mono(listingId),
        String(steps),
        `${(shareBasisPoints / 100).toFixed(2)} %`,
        usd(settledMicroUsd),
      ]),
    });
  }
  drawApart(
    paper,
    'Charged failures',
    'Nothing usable came of these live steps, and they are paid.',
    chargedFailures,
  );
  drawApart(
    paper,
    'Test work',
    'Made with test keys: the sandbox plays the models of others. It is in no number above but what is settled in all.',
    testWork,
  );
  if (peopleSteps === undefined || peopleSteps.steps === 0) return;
  paper.subheading('Steps of people');
  paper.text(
    `${counted(peopleSteps.steps, 'choice or approval', 'choices and approvals')} in runs. No model took part; ${usd(peopleSteps.settledMicroUsd)} USD are settled for them.`,
    STYLES.body,
  );
}

const mono = (text: string): Cell => ({ text, style: STYLES.monoSmall });

function usd(microUsd: string): string {
  return formatUsd(BigInt(microUsd));
}

function costFacts({
  models,
  chargedFailures,
  testWork,
  peopleSteps,
  costs,
}: CampaignReport): [string, Cell][] {
  const sum = (spent: readonly ModelSpent[]): string =>
    usd(spent.reduce((total, { settledMicroUsd }) => total + BigInt(settledMicroUsd), 0n).toString());
  const people = BigInt(peopleSteps?.settledMicroUsd ?? 0);
  const parts =
    chargedFailures === undefined || testWork === undefined
      ? []
      : [
          `Live steps that succeeded: ${sum(models)}`,
          `Charged failures: ${sum(chargedFailures)}`,
          `Test work: ${sum(testWork)}`,
          ...(people === 0n ? [] : [`Steps of people: ${formatUsd(people)}`]),
        ];
  return [
    [
      'Settled in all',
      [
        {
          text: `${usd(costs.settledMicroUsd)} USD in ${counted(costs.settledSteps, 'step')}`,
          style: STYLES.cellStrong,
        },
        ...parts,
      ],
    ],
    ['Reserved, not settled', `${usd(costs.openMicroUsd)} USD in ${counted(costs.openSteps, 'step')}`],
    [
      'Known by',
      Object.entries(costs.basis)
        .map(([basis, steps]) => `${plain(basis)}: ${steps}`)
        .join(', ') || 'nothing is settled',
    ],
  ];
}

function drawApart(paper: Paper, title: string, text: string, spent: readonly ModelSpent[]): void {
  if (spent.length === 0) return;
  paper.subheading(title, undefined, text);
  drawTable(paper, {
    columns: [
      { title: 'Model', share: 64 },
      { title: 'Steps', share: 14 },
      { title: 'Settled, USD', share: 22 },
    ],
    rows: spent.map(({ listingId, steps, settledMicroUsd }) => [
      mono(listingId),
      String(steps),
      usd(settledMicroUsd),
    ]),
  });
}
