import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { createFreeAuthority, signFreely } from '../../testing/free-signer.js';
import { PICTURE_FORMATS, pictureWithXmp, plainPicture, xmpPacket } from '../../testing/reserved-pictures.js';
import {
  action,
  generatedPlan,
  type MediaFile,
  parentOf,
  SigningWorkshop,
} from '../../testing/signing-workshop.js';
import { readReservations } from './read-reservations.js';

let workshop: SigningWorkshop;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(() => workshop.close());

const SPACES =
  'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"';
const sourceType = (term: string) =>
  `<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/${term}</Iptc4xmpExt:DigitalSourceType>`;
const china = (label: object) =>
  `<TC260:AIGC>${JSON.stringify(label).replaceAll('"', '&quot;')}</TC260:AIGC>`;
const iptc = (term: string, system: string | null = null) => ({
  ...{ place: 'iptc', term, system, manifestLabel: null },
});

async function readingOf(file: MediaFile) {
  return readReservations(file.path, await workshop.verify(file));
}

async function statementsIn(bytes: Buffer) {
  const file = { path: await workshop.write(bytes), mediaType: 'image/png' as const };
  return (await readingOf(file)).sourceStatements;
}

describe('what a file says of generative models in its XMP', () => {
  it.each(PICTURE_FORMATS)('%s: the digital source type is read', async (format) => {
    const packet = xmpPacket(sourceType('trainedAlgorithmicMedia'), SPACES);
    expect(await statementsIn(await pictureWithXmp(format, packet))).toEqual([
      iptc('trainedAlgorithmicMedia'),
    ]);
    expect(await statementsIn(await plainPicture(format))).toEqual([]);
  });

  it('is read as attributes, by any address, with the program that is named', async () => {
    const packet = xmpPacket(
      '',
      `${SPACES} Iptc4xmpExt:DigitalSourceType="https://cv.iptc.org/newscodes/digitalsourcetype/CompositeSynthetic" Iptc4xmpExt:AISystemUsed="Some Model 7"`,
    );
    expect(await statementsIn(await pictureWithXmp('png', packet))).toEqual([
      iptc('compositeSynthetic', 'Some Model 7'),
    ]);
  });

  it('is a program that is named alone, and no source that is not generative', async () => {
    const named = xmpPacket('<Iptc4xmpExt:AISystemUsed>Some Model</Iptc4xmpExt:AISystemUsed>', SPACES);
    expect(await statementsIn(await pictureWithXmp('png', named))).toEqual([
      iptc('compositeWithTrainedAlgorithmicMedia', 'Some Model'),
    ]);
    for (const term of ['humanEdits', 'digitalCapture', 'algorithmicMedia']) {
      const packet = xmpPacket(sourceType(term), SPACES);
      expect(await statementsIn(await pictureWithXmp('png', packet))).toEqual([]);
    }
  });

  it.each([
    [{ Label: '1', ContentProducer: 'P' }, 'trainedAlgorithmicMedia', 'P'],
    [{ Label: '2' }, 'compositeWithTrainedAlgorithmicMedia', null],
    [{}, 'compositeWithTrainedAlgorithmicMedia', null],
  ])('is the label of GB 45438: %j', async (label, term, system) => {
    const packet = xmpPacket(china(label), SPACES);
    expect(await statementsIn(await pictureWithXmp('jpeg', packet))).toEqual([
      { place: 'aigc', term, system, manifestLabel: null },
    ]);
  });
});

describe('what a file says of generative models in its manifests', () => {
  it('is what a manifest of whoever says, also of a picture that was changed afterwards', async () => {
    const authority = await createFreeAuthority();
    const file = await signFreely(await workshop.picture(), workshop.newPath(), authority, {
      title: 'x',
      claim_generator_info: [{ name: 'Some Program', version: '1' }],
    });
    const label = (await workshop.verify(file)).chain?.manifestLabel;
    const said = { place: 'c2pa', term: 'trainedAlgorithmicMedia', manifestLabel: label };
    const { sourceStatements, versionLabels } = await readingOf(file);
    expect(sourceStatements).toMatchObject([said]);
    expect(versionLabels).toEqual([label]);
    const bytes = await readFile(file.path);
    const at = bytes.lastIndexOf('IEND') - 20;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    expect(await statementsIn(bytes)).toMatchObject([said]);
  });

  it('is a part of whatever was made from it', async () => {
    const generated = await workshop.sign(await workshop.picture(), generatedPlan());
    const edited = await workshop.sign(
      await workshop.picture(),
      generatedPlan({ actions: [action('c2pa.edited', 'humanEdits')], ingredients: [parentOf(generated)] }),
    );
    const { sourceStatements, versionLabels } = await readingOf(edited);
    const [label, parentLabel] = [edited, generated].map((file) => workshop.verify(file));
    expect(sourceStatements).toMatchObject([
      {
        term: 'compositeWithTrainedAlgorithmicMedia',
        manifestLabel: (await parentLabel)?.chain?.manifestLabel,
      },
    ]);
    expect(versionLabels).toEqual([
      (await label)?.chain?.manifestLabel,
      (await parentLabel)?.chain?.manifestLabel,
    ]);
  });

  it('is what is declared of an ingredient without a manifest', async () => {
    const source = await workshop.picture();
    const declared = { ...parentOf(source), digitalSourceType: 'trainedAlgorithmicMedia' as const };
    const received = await workshop.sign(source, generatedPlan({ actions: [], ingredients: [declared] }));
    expect((await readingOf(received)).sourceStatements).toMatchObject([
      { place: 'c2pa', term: 'compositeWithTrainedAlgorithmicMedia' },
    ]);
  });
});
