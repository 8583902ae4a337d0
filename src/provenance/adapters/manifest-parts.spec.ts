import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { storedManifests } from '../domain/jumbf.js';
import { type EmbeddedMetadata, type PlannedAssertion } from '../domain/manifest-plan.js';
import {
  action,
  generatedPlan,
  type MediaFile,
  parentOf,
  SigningWorkshop,
} from '../testing/signing-workshop.js';
import { pictureWithXmp, xmpPacket } from '../testing/reserved-pictures.js';
import { OWN_IDENTITY_LIST } from '../domain/trust-list.js';
import { C2paReader } from './c2pa-reader.js';
import { readManifestStore } from './carried-store.js';
import { readPacket } from './xmp/write-metadata.js';

const IPTC = 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/';
const GENERATED = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';
const metadata: EmbeddedMetadata = {
  properties: [
    { namespace: IPTC, prefix: 'Iptc4xmpExt', name: 'DigitalSourceType', value: GENERATED },
    { namespace: IPTC, prefix: 'Iptc4xmpExt', name: 'AISystemUsed', value: 'A & B <model>' },
  ],
};
const rights: PlannedAssertion = {
  label: 'cawg.metadata',
  kind: 'gathered',
  encoding: 'json',
  data: { '@context': { dc: 'http://purl.org/dc/elements/1.1/' }, 'dc:title': 'Shot' },
};
const disclosure = (modelName: string): PlannedAssertion => ({
  label: 'c2pa.ai-disclosure',
  kind: 'created',
  data: { modelType: 'c2pa.types.model', modelName },
});

let workshop: SigningWorkshop;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(() => workshop.close());

async function fullPlan() {
  return generatedPlan({
    ingredients: [
      {
        title: 'A model',
        relationship: 'inputTo',
        dataType: 'c2pa.types.model',
        description: 'The model that was asked for',
        identifiers: { listing: 'a@fal', channel: 'fal' },
      },
    ],
    assertions: [disclosure('one'), disclosure('two'), rights],
    identities: [
      await workshop.identity(['cawg.producer'], ['cawg.metadata']),
      await workshop.identity(['cawg.editor', 'cawg.contributor'], [], {
        organization: 'Acme',
        person: 'Ada',
      }),
    ],
    embeddedMetadata: metadata,
  });
}

describe('a manifest with everything in it', () => {
  it.each(['image/png', 'image/jpeg', 'image/webp', 'image/avif', 'image/tiff', 'image/gif'] as const)(
    'is written into %s and reads back',
    async (type) => {
      const signed = await workshop.sign(await workshop.picture(type), await fullPlan());
      const { verdict, chain } = await workshop.verify(signed);
      expect(verdict).toBe('intact_and_trusted');
      const hasXmp = ['image/png', 'image/jpeg', 'image/webp'].includes(type);
      expect(chain?.actions.map((each) => each.action)).toEqual(
        hasXmp ? ['c2pa.created', 'c2pa.edited.metadata'] : ['c2pa.created'],
      );
      expect(chain?.allActionsIncluded).toBe(true);
      expect(chain?.assertions.map(({ label, attributedTo }) => `${attributedTo} ${label}`).sort()).toEqual(
        [
          'created c2pa.ai-disclosure',
          'created c2pa.ai-disclosure',
          'gathered cawg.metadata',
          ...(hasXmp ? ['created org.colophon.embedded-metadata'] : []),
        ].sort(),
      );
      expect(chain?.ingredients).toMatchObject([
        {
          title: 'A model',
          relationship: 'inputTo',
          dataTypes: ['c2pa.types.model'],
          description: 'The model that was asked for',
          metadata: { 'org.colophon.listing': 'a@fal', 'org.colophon.channel': 'fal' },
        },
      ]);
      const mark = ' (Development, not verified)';
      expect(chain?.identities).toMatchObject([
        {
          name: `Acme${mark}`,
          organization: `Acme${mark}`,
          roles: ['cawg.producer'],
          state: 'valid',
          trustedBy: OWN_IDENTITY_LIST,
        },
        {
          name: `Ada${mark}`,
          roles: ['cawg.editor', 'cawg.contributor'],
          state: 'valid',
          trustedBy: OWN_IDENTITY_LIST,
        },
      ]);
      expect(chain?.identities[0]?.references).toContain('cawg.metadata');
      expect(chain?.identities[0]?.references.some((label) => label.startsWith('c2pa.hash.'))).toBe(true);
      const packet = (await readPacket(signed.path, type))?.toString();
      if (hasXmp)
        expect(packet).toContain(
          '<Iptc4xmpExt:AISystemUsed>A &amp; B &lt;model&gt;</Iptc4xmpExt:AISystemUsed>',
        );
    },
  );

  it.each(['image/png', 'image/jpeg', 'image/webp'] as const)(
    'leaves the pixels of %s as they were',
    async (type) => {
      const source = await workshop.picture(type);
      const pixels = (file: MediaFile) => sharp(file.path).raw().toBuffer();
      const signed = await workshop.sign(source, await fullPlan());
      expect((await pixels(signed)).equals(await pixels(source))).toBe(true);
    },
  );

  it('keeps the manifest of an earlier step, and its named actors, in the chain', async () => {
    const first = await workshop.sign(await workshop.picture(), await fullPlan());
    const second = await workshop.sign(
      await workshop.picture('image/jpeg'),
      generatedPlan({
        actions: [action('c2pa.edited', 'compositeWithTrainedAlgorithmicMedia')],
        ingredients: [parentOf(first)],
        embeddedMetadata: metadata,
      }),
    );
    const { chain } = await workshop.verify(second);
    expect(chain?.actions.map((each) => each.action)).toEqual([
      'c2pa.opened',
      'c2pa.edited.metadata',
      'c2pa.edited',
    ]);
    expect(chain?.ingredients[0]?.identities.map(({ state }) => state)).toEqual(['valid', 'valid']);
  });
});

describe('metadata of a file', () => {
  it.each(['png', 'jpeg', 'webp'] as const)(
    'is kept in %s, and one that is wrong is told and replaced',
    async (format) => {
      const old = xmpPacket(
        '<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture</Iptc4xmpExt:DigitalSourceType>' +
          '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Kept</rdf:li></rdf:Alt></dc:title>',
        'photoshop:Credit="Kept, too" Iptc4xmpExt:AISystemUsed="Another system"',
      );
      const source = {
        path: await workshop.write(await pictureWithXmp(format, old)),
        mediaType: `image/${format}` as const,
      };
      const signed = await workshop.sign(source, generatedPlan({ embeddedMetadata: metadata }));
      const packet = (await readPacket(signed.path, source.mediaType))?.toString() ?? '';
      expect(packet).toContain('>Kept<');
      expect(packet).toContain('Kept, too');
      expect(packet).not.toContain('digitalCapture');
      expect(packet.match(/DigitalSourceType>/g)).toHaveLength(2);
      expect((await sharp(signed.path).metadata()).xmp?.toString()).toBe(packet);
      const { chain } = await workshop.verify(signed);
      const told = chain?.assertions.find(({ label }) => label === 'org.colophon.embedded-metadata');
      expect(told?.data).toMatchObject({
        format: 'xmp',
        replaced: [
          { name: 'AISystemUsed', value: 'Another system' },
          {
            name: 'DigitalSourceType',
            value: 'http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture',
          },
        ],
      });
    },
  );

  it('is left alone where it cannot be merged, and the manifest then says nothing of it', async () => {
    const broken = await pictureWithXmp('jpeg', xmpPacket('<dc:title>'));
    const source = { path: await workshop.write(broken), mediaType: 'image/jpeg' as const };
    const signed = await workshop.sign(source, generatedPlan({ embeddedMetadata: metadata }));
    const { chain } = await workshop.verify(signed);
    expect(chain?.actions.map((each) => each.action)).toEqual(['c2pa.created']);
    expect((await readPacket(signed.path, 'image/jpeg'))?.toString()).toContain('<dc:title>');
  });
});

describe('a named actor', () => {
  it('who signed one picture is not named for another that carries the same manifest', async () => {
    const signed = await workshop.sign(await workshop.picture('image/jpeg'), await fullPlan());
    expect((await workshop.verify(signed)).identities[0]).toMatchObject({ status: 'trusted' });
    const bytes = await readFile(signed.path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 20) ^ 1, bytes.length - 20);
    await writeFile(signed.path, bytes);
    const { verdict, identities, chain, sentences } = await workshop.verify(signed);
    expect(verdict).toBe('broken');
    for (const { status, list } of identities) expect([status, list]).toEqual(['broken', undefined]);
    for (const { state, trustedBy } of chain?.identities ?? [])
      expect([state, trustedBy]).toEqual(['broken', undefined]);
    const said = sentences.join(' ');
    expect(said).toContain('nobody has put this name to the file as it is');
    expect(said).not.toMatch(/This identity holds|Somebody put a name to it/);
  });

  /** Changes the store of a signed file in place; the claim signature then no longer holds, which is not the question. */
  async function tampered(change: (content: Buffer) => void): Promise<MediaFile> {
    const signed = await workshop.sign(await workshop.picture('image/jpeg'), await fullPlan());
    const bytes = await readFile(signed.path);
    const { store } = await readManifestStore(signed.path);
    const at = bytes.indexOf(store ?? '');
    expect(at).toBeGreaterThan(0);
    const view = bytes.subarray(at, at + (store?.length ?? 0));
    const identity = storedManifests(view)
      .at(-1)
      ?.assertions.find(({ label }) => label === 'cawg.identity');
    change(identity?.content ?? Buffer.alloc(0));
    await writeFile(signed.path, bytes);
    return signed;
  }

  it.each([
    ['another role', 'cawg.producer', 'cawg.creator!', 'cawg.x509.signature.mismatch'],
    ['another assertion', 'cawg.metadata', 'cawg.metadat0', 'cawg.identity.assertion.mismatch'],
    ['no hard binding', 'c2pa.hash.data', 'c2pa.hash.dat0', 'cawg.identity.assertion.mismatch'],
    ['another kind of proof', 'cawg.x509.cose', 'cawg.x509.cosy', 'cawg.identity.sig_type.unknown'],
  ])('with %s is told as such', async (_what, from, to, problem) => {
    const file = await tampered((content) => {
      content.write(to, content.indexOf(from), 'latin1');
    });
    const { verdict, chain } = await workshop.verify(file);
    expect(verdict).toBe('broken');
    const state = problem === 'cawg.identity.sig_type.unknown' ? 'not_checked' : 'broken';
    // Whose own part is as it was put it into a manifest that does not hold.
    expect(chain?.identities).toMatchObject([
      { state, problem },
      { state: 'broken', trustedBy: undefined },
    ]);
  });

  it('is not believed without its authority, and does not make a claim signer trusted', async () => {
    const signed = await workshop.sign(await workshop.picture(), await fullPlan());
    const { claims, identities } = workshop.anchors;
    const seenWith = async (anchorsPem: string, identityAnchorsPem?: string) => {
      const trust = { name: 'a list', anchorsPem, ...(identityAnchorsPem && { identityAnchorsPem }) };
      const { verdict, chain } = await new C2paReader({ trust }).verify(signed);
      return [
        verdict,
        ...(chain?.identities ?? []).map(({ state, trustedBy }) => `${state} ${trustedBy ?? 'nobody'}`),
      ];
    };
    expect(await seenWith(claims)).toEqual(['intact_and_trusted', 'valid nobody', 'valid nobody']);
    expect(await seenWith(identities, identities)).toEqual([
      'intact',
      `valid ${OWN_IDENTITY_LIST}`,
      `valid ${OWN_IDENTITY_LIST}`,
    ]);
  });
});
