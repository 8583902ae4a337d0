import { describe, expect, it } from '@jest/globals';
import { CatalogTally, importCatalog } from './import-catalog.js';
import { type TradeDocument } from './import-document.js';

const LICENSES = ['apache-2.0', 'openrail++', 'acme-license', 'other', '3.0'];

function document(index: number): TradeDocument {
  const license = LICENSES[index % LICENSES.length] ?? '';
  const widget = Array.from(
    { length: 20 },
    (_, i) => `- text: picture number ${String(i)}\n  output:\n    url: image-${String(i)}.png`,
  );
  const content = `---\nlicense: ${license}\nbase_model: a/b\npipeline_tag: text-to-image\ntags:\n- lora\n- diffusers\nwidget:\n${widget.join('\n')}\n---\n# Model\n`;
  return {
    format: 'hugging-face-model',
    content,
    origin: { name: `owner/model-${String(index)}`, revision: null },
  };
}

function run(documents: Iterable<TradeDocument>) {
  const tally = new CatalogTally();
  const results = [...importCatalog(documents, tally)].map(({ index, result }) => [index, result.ok]);
  return { results, summary: tally.summary() };
}

describe('a catalog', () => {
  it('is read document by document, with a summary of what was understood and why not', () => {
    const { results, summary } = run(Array.from({ length: 10 }, (_, i) => document(i)));
    expect(results).toEqual(Array.from({ length: 10 }, (_, i) => [i, i % 5 !== 4]));
    expect(summary).toEqual({
      documents: 10,
      understood: { fully: 4, partly: 4, not: 2 },
      listings: { models: 8, datasets: 0 },
      refusals: [{ code: 'wrong-type', documents: 2 }],
      reasons: [
        { field: 'license', reason: 'unknown-name', fields: 2 },
        { field: 'license', reason: 'placeholder', fields: 2 },
      ],
      unknownLicenses: [{ name: 'acme-license', documents: 2 }],
      furtherUnknownLicenses: 0,
    });
  });

  it('reads the next document only when the last one was taken', () => {
    let read = 0;
    function* endless(): Generator<TradeDocument> {
      for (;;) yield document(read++);
    }
    for (const { index } of importCatalog(endless(), new CatalogTally())) if (index === 4) break;
    expect(read).toBe(5);
  });

  it('counts unknown names up to a limit, so that a hostile catalog cannot fill the memory', () => {
    const tally = new CatalogTally();
    const names = Array.from({ length: 1_200 }, (_, i) => ({
      ...document(0),
      content: `---\nlicense: zz-${String(i)}\n---\n`,
    }));
    for (const result of importCatalog(names, tally)) expect(result.result.ok).toBe(true);
    const { unknownLicenses, furtherUnknownLicenses } = tally.summary();
    expect([unknownLicenses.length, furtherUnknownLicenses]).toEqual([1_000, 200]);
  });

  it('takes seconds for 2,000 cards', () => {
    const before = process.cpuUsage();
    expect(run(Array.from({ length: 2_000 }, (_, i) => document(i))).summary.documents).toBe(2_000);
    const { user, system } = process.cpuUsage(before);
    // About 3 s outside of a test. Time of the processor, so that other work on the machine does not count.
    expect((user + system) / 1_000).toBeLessThan(15_000);
  }, 300_000);
});
