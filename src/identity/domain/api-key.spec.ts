import { describe, expect, it } from '@jest/globals';
import { generateApiKey, parseApiKey, secretMatches, secretSha256 } from './api-key.js';

describe('API keys', () => {
  it('parse back what was generated', () => {
    const key = generateApiKey('live');
    expect(key.text).toMatch(/^clp_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/);
    expect(parseApiKey(key.text)).toEqual({ mode: 'live', id: key.id, secret: key.secret });
    expect(secretMatches(key.secret, secretSha256(key.secret))).toBe(true);
  });

  it('reject every single changed character', () => {
    const { text } = generateApiKey('test');
    for (let position = 0; position < text.length; position++) {
      const changed =
        text.slice(0, position) + (text[position] === 'a' ? 'b' : 'a') + text.slice(position + 1);
      expect(parseApiKey(changed)).toBeUndefined();
    }
  });

  it.each(['', 'clp_live_', 'Bearer x', 'clp_prod_aaaaaaaaaaaa_b_c', '\u0000', 'x'.repeat(100_000)])(
    'reject malformed text %#',
    (text) => {
      expect(parseApiKey(text)).toBeUndefined();
    },
  );
});
