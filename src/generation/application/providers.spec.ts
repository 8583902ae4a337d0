import { describe, expect, it } from '@jest/globals';
import { type Tx } from '../../database/organization-tx.js';
import { SandboxProvider } from '../adapters/sandbox-provider.js';
import { OpenAiProvider } from '../adapters/openai/openai-provider.js';
import { type Provider } from '../domain/provider.port.js';
import { Providers, type StoredCredential } from './providers.js';

interface Keyed {
  readonly key: string;
  readonly provider: Provider;
}

/** A directory of keys by organization, and what was made of them. */
function workshop(shared: Record<string, string> = {}) {
  const stored = new Map<string, StoredCredential & { opened: number }>();
  const made: Keyed[] = [];
  const make = (key: string): Promise<Provider> => {
    const provider = new OpenAiProvider({ apiKey: key, outbound: {} });
    made.push({ key, provider });
    return Promise.resolve(provider);
  };
  const providers = new Providers({
    fixed: [new SandboxProvider()],
    keyed: { fal: make, replicate: make, openai: make, google: make },
    sharedKeys: shared,
    credentials: { find: (tx, provider) => Promise.resolve(stored.get(`${tx.organizationId} ${provider}`)) },
  });
  const tx = (organizationId: string): Tx => ({ organizationId }) as Tx;
  return {
    made,
    stored,
    keyFor: async (organization: string) => {
      const provider = await providers.get(tx(organization), 'openai');
      return made.find((keyed) => keyed.provider === provider)?.key;
    },
    get: (organization: string, name: 'sandbox' | 'openai') => providers.get(tx(organization), name),
    set: (organization: string, versionId: string, key: string) => {
      const credential = {
        versionId,
        opened: 0,
        open() {
          credential.opened += 1;
          return Promise.resolve(key);
        },
      };
      stored.set(`${organization} openai`, credential);
      return credential;
    },
  };
}

describe('the providers of an organization', () => {
  it('are made from its own key, once for each version of it', async () => {
    const { set, keyFor, made } = workshop({ openai: 'of the operator' });
    const credential = set('a', 'v1', 'key 1 of a');
    expect([await keyFor('a'), await keyFor('a')]).toEqual(['key 1 of a', 'key 1 of a']);
    expect(credential.opened).toBe(1);
    expect(made.map(({ key }) => key)).toEqual(['key 1 of a']);
  });

  it('a changed key takes effect with the next request, and a removed one too', async () => {
    const { set, keyFor, stored } = workshop({ openai: 'of the operator' });
    set('a', 'v1', 'key 1 of a');
    await keyFor('a');
    set('a', 'v2', 'key 2 of a');
    expect(await keyFor('a')).toBe('key 2 of a');
    stored.clear();
    expect(await keyFor('a')).toBe('of the operator');
  });

  it('no organization gets the key of another', async () => {
    const { set, keyFor } = workshop();
    set('a', 'v1', 'key of a');
    expect(await keyFor('a')).toBe('key of a');
    await expect(keyFor('b')).rejects.toMatchObject({ code: 'provider_not_configured' });
    set('b', 'v1', 'key of b');
    expect([await keyFor('b'), await keyFor('a')]).toEqual(['key of b', 'key of a']);
  });

  it('without a key of its own, nor one that the operator shares, there is none; the sandbox needs none', async () => {
    const { get } = workshop();
    await expect(get('a', 'openai')).rejects.toMatchObject({ code: 'provider_not_configured' });
    expect((await get('a', 'sandbox')).name).toBe('sandbox');
  });
});
