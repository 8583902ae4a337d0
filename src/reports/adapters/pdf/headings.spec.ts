import { describe, expect, it } from '@jest/globals';
import { OpenedPdf } from '../../../../test/support/opened-pdf.js';
import { Paper } from './paper.js';
import { drawFacts, drawTable } from './table.js';
import { STYLES } from './theme.js';

/** What a reader sees on each page: footers end them. */
async function pagesOf(draw: (paper: Paper) => void): Promise<string[]> {
  const paper = new Paper({ title: 'x', subject: 'x', producer: 'x', createdAt: new Date(0) });
  draw(paper);
  const text = new OpenedPdf(await paper.finish('footer')).text().replaceAll(/\s+/g, '');
  return text.split(/footerPage\d+of\d+/).slice(0, -1);
}

const long = 'a word and another '.repeat(40);
const FOLLOWERS: Readonly<Record<string, (paper: Paper) => void>> = {
  text: (paper) => paper.text(`First words. ${long}`, STYLES.body),
  table: (paper) =>
    drawTable(paper, {
      columns: [{ title: 'Column', share: 1 }],
      rows: [[`First row. ${long}`], ['Second.']],
    }),
  facts: (paper) => drawFacts(paper, [['First fact', 'value']]),
  list: (paper) => paper.bullets([`First item. ${long}`, 'Second.']),
};

describe('a heading', () => {
  it.each(Object.keys(FOLLOWERS))(
    'is never the last thing on a page, wherever it falls: before %s',
    async (name) => {
      for (let filled = 560; filled < 780; filled += 7) {
        const pages = await pagesOf((paper) => {
          paper.y = filled;
          paper.beginSection('Section', 'What it is about.');
          paper.subheading('Part', undefined, 'What this part is about.');
          FOLLOWERS[name]?.(paper);
        });
        for (const page of pages)
          expect([filled, page]).toEqual([filled, expect.not.stringMatching(/about\.(Column)?$/)]);
        expect(pages.join('')).toContain('SectionWhatitisabout.PartWhatthispartisabout.');
      }
    },
  );

  it('of which nothing follows is printed all the same', async () => {
    expect((await pagesOf((paper) => paper.beginSection('Section'))).join('')).toContain('Section');
  });
});
