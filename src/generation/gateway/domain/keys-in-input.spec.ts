import { describe, expect, it } from '@jest/globals';
import { generateApiKey } from '../../../identity/domain/api-key.js';
import { refuseKeysIn } from './keys-in-input.js';

describe('a key of ours inside of an input', () => {
  const { text: key } = generateApiKey('live');
  it.each([
    ['as a parameter', { parameters: { auth: key } }],
    ['in a text', { parameters: { prompt: `curl -H "Authorization: Bearer ${key}"` } }],
    ['deep inside', { parameters: { extra: { list: ['a', { token: key }] } } }],
    ['in an address', { parameters: {}, addresses: { image: `https://example.com/a.png?key=${key}` } }],
    ['for tests', { parameters: { auth: generateApiKey('test').text } }],
  ])('%s is refused, and not repeated', (_, call) => {
    expect(() => refuseKeysIn(call)).toThrow(/holds an API key of this service/);
    expect(() => refuseKeysIn(call)).not.toThrow(new RegExp(key));
  });

  it('is not seen where there is none', () => {
    const parameters = {
      prompt: 'clp_live_ is how keys begin',
      seed: 1,
      flags: [true],
      size: { width: 512 },
    };
    expect(() => refuseKeysIn({ parameters })).not.toThrow();
  });
});
