import { describe, expect, it } from '@jest/globals';
import { nameSchema } from './safe-text.js';

const accepts = (name: string) => nameSchema().safeParse(name).success;

describe('a name', () => {
  it.each([
    ['a zero-width space', 'Ada\u200b Reviewer'],
    ['a zero-width joiner between letters that do not join', 'Ada\u200d Reviewer'],
    ['a zero-width non-joiner', 'A\u200cda Reviewer'],
    ['a word joiner', 'Ada\u2060 Reviewer'],
    ['a soft hyphen', 'A\u00adda Reviewer'],
    ['an override of the direction', '\u202eAda Reviewer'],
    ['an isolate', '\u2066Ada\u2069 Reviewer'],
    ['a mark of direction', 'Ada\u200f Reviewer'],
    ['a tag', 'Ada\u{e0041} Reviewer'],
    ['a variation selector after a letter', 'Ada\ufe0f Reviewer'],
    ['a filler of Hangul', 'Ada\u3164Reviewer'],
    ['an empty pattern of Braille', 'Ada\u2800Reviewer'],
    ['a space that does not break', 'Ada\u00a0Reviewer'],
    ['two spaces', 'Ada  Reviewer'],
    ['a combining grapheme joiner', 'A\u034fda Reviewer'],
  ])('that looks like another by %s is refused', (_what, name) => {
    expect(accepts('Ada Reviewer')).toBe(true);
    expect(accepts(name)).toBe(false);
  });

  it.each(['José Ångström', '王小明', 'می‌ناز', 'क्‍ष', 'Ünal O’Neill-Şahin', 'Summer ❤️ 2027', '👩‍💻 team'])(
    'as people write it is taken: %s',
    (name) => {
      expect(accepts(name)).toBe(true);
    },
  );

  it('is kept in one form, whatever keyboard it came from', () => {
    expect(nameSchema().parse('Jose\u0301')).toBe('Jos\u00e9');
  });
});
