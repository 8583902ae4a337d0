import { describe, expect, it } from '@jest/globals';
import { mergePacket } from './xmp-merge.js';

const DC = 'http://purl.org/dc/elements/1.1/';
const RIGHTS = [{ prefix: 'dc', namespace: DC, name: 'rights', value: 'mine' }];
const packet = (inside: string): Buffer =>
  Buffer.from(
    `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="${DC}">` +
      `<rdf:Description rdf:about="">${inside}</rdf:Description></rdf:RDF></x:xmpmeta>`,
  );

describe('adding to a packet of a stranger', () => {
  it('tells what a property said before, and keeps the rest to the byte', () => {
    const merged = mergePacket(packet('<dc:rights> theirs </dc:rights><dc:title>T</dc:title>'), RIGHTS);
    expect(merged?.replaced.map(({ value }) => value)).toEqual(['theirs']);
    expect(merged?.packet.toString()).toContain('<dc:title>T</dc:title>');
    expect(merged?.packet.toString()).not.toContain('theirs');
  });

  it.each([
    ['white space', `<dc:a/>${' '.repeat(1_000_000)}`, true],
    ['a text in pieces', `<dc:rights>${'a<dc:b/>'.repeat(200_000)}</dc:rights>`, true],
    ['elements inside of each other', '<dc:b>x'.repeat(200_000), false],
    ['ends without beginnings', '<dc:b>'.repeat(20) + '</dc:c>'.repeat(400_000), false],
    ['attributes', `<dc:b ${Array.from({ length: 200_000 }, (_, at) => `a${at}=""`).join(' ')}/>`, false],
  ])('takes time that grows with its length only: %s', (_what, inside, canBeChanged) => {
    const started = process.cpuUsage();
    expect(mergePacket(packet(inside), RIGHTS) !== undefined).toBe(canBeChanged);
    const { user, system } = process.cpuUsage(started);
    // Some 300 ms; quadratic time would be minutes.
    expect((user + system) / 1_000).toBeLessThan(5_000);
  });
});
