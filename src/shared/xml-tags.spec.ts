import { describe, expect, it } from '@jest/globals';
import { hasCrowdedTag } from './xml-tags.js';

const attributes = (count: number, value = '"x"'): string =>
  Array.from({ length: count }, (_, at) => ` a${at}=${value}`).join('');

describe('a tag with too many attributes', () => {
  it.each([
    ['alone', `<a${attributes(1_001)}/>`],
    ['behind ends of tags in values', `<a${attributes(1_001, '">"')}/>`],
    ['behind beginnings of tags in values', `<a${attributes(1_001, "'<b'")}/>`],
    ['behind comments, texts and instructions', `<?x "?><!-- " --><![CDATA[ ' ]]><a${attributes(1_001)}>`],
    ['that does not end', `<a${attributes(1_001)}`],
  ])('is seen: %s', (_what, xml) => {
    expect(hasCrowdedTag(xml)).toBe(true);
  });

  it.each([
    ['fewer', `<a${attributes(1_000)}/>`],
    ['many tags', `<a x="1" y='2'/>`.repeat(2_000)],
    ['quotation marks in texts', `<a>${'"'.repeat(5_000)}</a>`],
    ['quotation marks in comments', `<!--${'"'.repeat(5_000)}--><a/>`],
    ['a comment that does not end', `<!--${'"'.repeat(5_000)}`],
  ])('is not seen in: %s', (_what, xml) => {
    expect(hasCrowdedTag(xml)).toBe(false);
  });
});
