import { describe, expect, it } from '@jest/globals';
import { lookUp } from './quoted-words.js';

const TEXT =
  '4. Use.\r\n\tThe Licensee may sell\u00a0outputs \u2013 including \u201cderived\u201d works \u2013 in the Licensee\u2019s ter\u00adri\u00adto\u00adry, but may not re\ufb01ne them.';
const lookUpIn = (text: string, quote: string) => lookUp(quote, Buffer.from(text));

describe('words that are quoted from a kept text', () => {
  it.each([
    'may sell outputs - including "derived" works',
    "in the Licensee's territory, but",
    'Use. The Licensee may\n   sell',
    ' may not refine them. ',
    'sell outputs \u2014 including \u00abderived\u00bb works',
  ])('stand in it, however they are set: %j', (quote) => {
    expect(lookUpIn(TEXT, quote)).toBe('found');
  });

  it.each([
    'The Licensee may refine them.',
    'may sell outputs ... in the',
    'THE LICENSEE MAY SELL OUTPUTS',
    'The Licensee may sell outputs in the Licensee\u2019s territory',
  ])('do not when a word is another one, or left out: %j', (quote) => {
    expect(lookUpIn(TEXT, quote)).toBe('missing');
  });

  it('cannot be looked up in what is no UTF-8', () => {
    expect(lookUp('may sell outputs', Buffer.from('may sell outputs \xa7 4', 'latin1'))).toBe('not-text');
  });
});
