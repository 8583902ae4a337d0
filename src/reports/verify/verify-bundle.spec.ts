import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { effort } from '../../../test/support/effort.js';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { writeEvidenceBundle } from '../adapters/evidence-bundle.js';
import { type AssetDossier, type BundleEvidence } from '../domain/dossier.js';
import {
  type BundleVerification,
  type VerifyBundleOptions,
  type VerifyMedia,
} from './bundle-verification.js';
import { EvidenceWorkshop } from './testing/evidence-workshop.js';
import { runVerifyBundle } from './verify-bundle.js';

let workshop: EvidenceWorkshop;
let dossier: AssetDossier;
let evidence: BundleEvidence;
let verifyMedia: VerifyMedia;
let bundlePath: string;

beforeAll(async () => {
  workshop = await EvidenceWorkshop.create();
  ({ dossier, evidence } = await workshop.build());
  verifyMedia = workshop.mediaVerifier();
  bundlePath = await write(dossier, evidence);
});

afterAll(() => workshop.close());

async function write(aDossier: AssetDossier, someEvidence: BundleEvidence): Promise<string> {
  const destinationPath = workshop.signing.newPath();
  const documents = await workshop.documents(aDossier);
  await writeEvidenceBundle({
    dossier: aDossier,
    ...documents,
    evidence: someEvidence,
    destinationPath,
  });
  return destinationPath;
}

/** As a reader who has the key of the log from elsewhere. */
function known(): VerifyBundleOptions {
  return { verifyMedia, expectedVkey: workshop.log.vkey };
}

async function verifyBytes(bytes: Uint8Array): Promise<BundleVerification> {
  const path = join(workshop.signing.folder, 'altered.zip');
  await writeFile(path, bytes);
  return runVerifyBundle(path, known());
}

function texts(result: BundleVerification): string {
  return result.findings.map(({ path, text }) => `${path ?? ''}: ${text}`).join('\n');
}

/** mulberry32: the same positions on every machine. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('the bundle of a recalled release', () => {
  it('is valid, says that the release was taken back, and cannot be told without the recall', async () => {
    const stranger = await EvidenceWorkshop.create();
    const { dossier: recalled, evidence: proved } = await stranger.build(undefined, 0, true);
    const path = stranger.signing.newPath();
    const packed = async (aDossier: AssetDossier, destinationPath: string): Promise<BundleVerification> => {
      const documents = await stranger.documents(aDossier);
      await writeEvidenceBundle({ dossier: aDossier, ...documents, evidence: proved, destinationPath });
      return runVerifyBundle(destinationPath, {
        verifyMedia: stranger.mediaVerifier(),
        expectedVkey: stranger.log.vkey,
      });
    };
    const result = await packed(recalled, path);
    expect(texts(result)).toBe('');
    expect(result.verdict).toBe('valid');
    expect(result.subject).toMatchObject({ released: false });
    expect(result.notProved.join(' ')).toContain('taken back');
    expect(result.statements.map(({ text }) => text).join(' ')).not.toContain('was released for publication');
    const forged = [undefined, { reason: 'other' }, { text: 'It was a mistake of ours.' }];
    for (const change of forged) {
      const recall = change && recalled.recall && { ...recalled.recall, ...change };
      const hidden = await packed({ ...recalled, recall }, stranger.signing.newPath());
      expect(hidden.verdict).toBe('invalid');
      expect(texts(hidden)).toMatch(/taken back|reason of the recall|text of entry/);
    }
    await stranger.close();
  });
});

describe('an evidence bundle as it was written', () => {
  it('is valid, says what it proves, and what it does not', async () => {
    const result = await runVerifyBundle(bundlePath, known());
    expect(texts(result)).toBe('');
    expect(result.verdict).toBe('valid');
    expect(result.statements.map(({ ok }) => ok)).not.toContain(false);
    expect(result.statements.at(-1)?.text).toContain('released for publication');
    expect(result.notProved.join(' ')).toContain('a later recall');
    expect(result.subject).toMatchObject({ assetId: dossier.asset.id, released: true });
  });

  it('accepts the right key from elsewhere and refuses another one', async () => {
    const right = await runVerifyBundle(bundlePath, { verifyMedia, expectedVkey: `${workshop.log.vkey}\n` });
    expect(right.verdict).toBe('valid');
    expect(right.notProved.join(' ')).not.toContain('came with the bundle. Whether it is the key');
    const stranger = (await EvidenceWorkshop.create()).log.vkey;
    const wrong = await runVerifyBundle(bundlePath, { verifyMedia, expectedVkey: stranger });
    expect(wrong.verdict).toBe('invalid');
    expect(texts(wrong)).toContain('not the one you gave');
  });

  it('has the same bytes when it is written again', async () => {
    const again = await readFile(await write(dossier, evidence));
    expect(again.equals(await readFile(bundlePath))).toBe(true);
  });

  it('finds random flipped bits, wherever they are', async () => {
    const bytes = await readFile(bundlePath);
    const random = randomNumbers(20_261_122);
    const missed: number[] = [];
    for (let i = 0; i < effort(25, 1000); i++) {
      const position = Math.floor(random() * bytes.length);
      const altered = Buffer.from(bytes);
      altered.writeUInt8((altered[position] ?? 0) ^ (1 << Math.floor(random() * 8)), position);
      if ((await verifyBytes(altered)).verdict === 'valid') missed.push(position);
    }
    expect(missed).toEqual([]);
  });

  it('finds flips in the directory of the container, which no hash covers', async () => {
    const bytes = await readFile(bundlePath);
    const directory = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
    const directoryStart = bytes.readUInt32LE(directory + 16);
    const missed: number[] = [];
    for (let position = directoryStart; position < bytes.length; position += effort(197, 13)) {
      const altered = Buffer.from(bytes);
      altered.writeUInt8((altered[position] ?? 0) ^ 0x01, position);
      if ((await verifyBytes(altered)).verdict === 'valid') missed.push(position);
    }
    expect(missed).toEqual([]);
  });

  it('finds bytes in front of and behind the container, and a cut-off end', async () => {
    const bytes = await readFile(bundlePath);
    for (const altered of [
      Buffer.concat([Buffer.from('#!/bin/sh\n'), bytes]),
      Buffer.concat([bytes, Buffer.from([0])]),
      bytes.subarray(0, bytes.length - 1),
      bytes.subarray(0, bytes.length / 2),
    ]) {
      expect((await verifyBytes(altered)).verdict).not.toBe('valid');
    }
  });
});

describe('a bundle packed anew by somebody who wants to deceive', () => {
  async function verdictOf(changes: {
    dossier?: Partial<AssetDossier>;
    evidence?: Partial<BundleEvidence>;
  }): Promise<BundleVerification> {
    const path = await write({ ...dossier, ...changes.dossier }, { ...evidence, ...changes.evidence });
    return runVerifyBundle(path, known());
  }

  it('that leaves out an entry', async () => {
    for (const { index } of evidence.entries) {
      const entries = evidence.entries.filter((entry) => entry.index !== index);
      const result = await verdictOf({ evidence: { entries } });
      expect(result.verdict).toBe('invalid');
      expect(texts(result)).toContain(`ntry ${index}`);
    }
  });

  it('that exchanges the proofs of two entries', async () => {
    const [first, second, ...rest] = evidence.entries;
    if (!first || !second) throw new Error('two entries expected');
    const entries = [{ ...first, proof: second.proof }, { ...second, proof: first.proof }, ...rest];
    const result = await verdictOf({ evidence: { entries } });
    expect(result.verdict).toBe('invalid');
    expect(texts(result)).toContain('entries/0.json');
  });

  it('that mixes in a proof under an older tree head of the same log', async () => {
    const size = workshop.log.entries.length;
    const index = workshop.log.append({
      type: 'run.finished',
      at: '2026-11-22T11:00:00.000Z',
      actor: { kind: 'system', id: 'system' },
      subject: { kind: 'run', id: workshop.runId },
      data: { state: 'SUCCEEDED' },
    });
    expect(index).toBe(size);
    const later = await workshop.log.proof(3, await workshop.log.checkpoint());
    workshop.log.entries.pop();
    const entries = evidence.entries.map((entry) => (entry.index === 3 ? { ...entry, proof: later } : entry));
    const result = await verdictOf({ evidence: { entries } });
    expect(texts(result)).toContain('another tree head');
  });

  it('that rewrites an entry', async () => {
    const entries = evidence.entries.map((entry) => ({
      ...entry,
      bytes: Buffer.from(entry.bytes.toString('utf8').replace('"approve"', '"approvd"')),
    }));
    const result = await verdictOf({ evidence: { entries } });
    expect(texts(result)).toContain('not shown to be in the log');
  });

  it('that tells another prompt than the one that was sealed', async () => {
    const openings = evidence.openings.map((opening) =>
      opening.field === 'prompt' ? { ...opening, value: 'A clay teapot' } : opening,
    );
    expect(texts(await verdictOf({ evidence: { openings } }))).toContain(
      'is not the one that the entry seals',
    );
    const runs = dossier.runs.map((run) => ({ ...run, prompt: 'A clay teapot' }));
    expect(texts(await verdictOf({ dossier: { runs } }))).toContain('not the one that the log seals');
  });

  it('that says of a decision that it was made upon something else than the log commits to', async () => {
    const claiming = dossier.runs.map((run) => ({
      ...run,
      clearance: { ...run.clearance, inputSha256: sha256Hex('other facts') },
    }));
    expect(texts(await verdictOf({ dossier: { runs: claiming } }))).toContain(
      'The input of ' + (dossier.runs[0]?.clearance.id ?? '') + ' is not the one that the log seals',
    );
    const openings = evidence.openings.filter(({ field }) => field !== 'input');
    const silent = await verdictOf({ evidence: { openings } });
    expect(silent.verdict).toBe('valid');
    expect(silent.notProved.join(' ')).toContain('The input that the dossier shows');
  });

  it('that withholds an opening: valid, but the prompt is said to be unproved', async () => {
    const openings = evidence.openings.filter(({ field }) => field !== 'prompt');
    const result = await verdictOf({ evidence: { openings } });
    expect(result.verdict).toBe('valid');
    expect(result.notProved.join(' ')).toContain('The prompt that the dossier shows');
  });

  it('that claims another decision, author or release in the dossier', async () => {
    const review = dossier.review && { ...dossier.review, decision: 'reject' as const };
    const contributions = dossier.contributions.map((item) => ({ ...item, basis: 'human_material' }));
    const release = dossier.release && { ...dossier.release, entryIndex: 0 };
    for (const changes of [{ review }, { contributions }, { release }]) {
      const result = await verdictOf({ dossier: changes });
      expect(result.verdict).toBe('invalid');
      expect(result.findings.every(({ path }) => path === 'dossier.json')).toBe(true);
    }
  });

  it('that changes, leaves out or borrows what a person signed or said later of their record', async () => {
    const [act] = dossier.contributions;
    if (act?.record === undefined || act.signatureKey === undefined)
      throw new Error('a signed record expected');
    const without = (field: string) => ({ ...act, [field]: undefined });
    const forged = act.record.replace('painted', 'PAINTED');
    const changes = [
      { ...act, record: forged },
      { ...act, record: act.record.replace(/"basis":"[^"]*"/, '"basis":"modification"') },
      { ...act, signature: `${act.signature?.slice(0, -4)}AAAA` },
      { ...act, signatureKey: { ...act.signatureKey, entryIndex: 0 } },
      without('signatureKey'),
      { ...act, corrections: [] },
      { ...act, corrections: act.corrections?.map((one) => ({ ...one, kind: 'signed' as const })) },
      { ...act, engagement: 'contractor' },
      { ...act, differenceSha256: act.beforeSha256 },
      { ...act, shown: [act.assetId] },
      {
        ...act,
        attachments: [
          { id: 'att_1', kind: 'sketch', sha256: act.beforeSha256, sizeBytes: 1, entryIndex: act.entryIndex },
        ],
      },
    ];
    for (const [i, changed] of changes.entries()) {
      const result = await verdictOf({ dossier: { contributions: [changed] } });
      expect([i, result.verdict]).toEqual([i, 'invalid']);
    }
    const recall = {
      reason: 'other',
      recalledBy: act.contributor,
      recalledAt: act.createdAt,
      text: undefined,
    };
    const recalled = await verdictOf({ dossier: { recall: { ...recall, entryIndex: act.entryIndex } } });
    expect(recalled.verdict).toBe('invalid');
    expect((await verdictOf({ dossier: { reviews: [] } })).verdict).toBe('invalid');
  });

  it('whose signature was erased: valid, but said to be unproved', async () => {
    const contributions = dossier.contributions.map((item) => ({
      ...{ ...item, record: undefined, signature: undefined },
    }));
    const openings = evidence.openings.filter(({ field }) => !['record', 'signature'].includes(field));
    const result = await verdictOf({ dossier: { contributions }, evidence: { openings } });
    expect(result.verdict).toBe('valid');
    expect(result.notProved.join(' ')).toContain('The signature of');
  });

  it('that changes an order of a storyboard, its reason, or leaves out a version', async () => {
    const [first, second] = dossier.storyboards ?? [];
    if (first === undefined || second === undefined) throw new Error('the record has two orders');
    const forged: [AssetDossier['storyboards'], string][] = [
      [[first], 'not all that the bundle holds'],
      [undefined, 'not all that the bundle holds'],
      [[second, first], 'not in their order'],
      [[first, { ...second, assetIds: first.assetIds }], 'The order of version 2'],
      [[{ ...first, rationale: 'It was chance.' }, second], 'not the one that the log seals'],
      [[first, { ...second, entryIndex: first.entryIndex }], 'not all that the bundle holds'],
    ];
    for (const [storyboards, text] of forged) {
      const result = await verdictOf({ dossier: { storyboards } });
      expect(result.verdict).toBe('invalid');
      expect(texts(result)).toContain(text);
    }
  });

  it('that puts another file in the place of an attachment; without the file there is its hash alone', async () => {
    const [attachment] = evidence.attachments;
    if (attachment === undefined) throw new Error('the record has an attachment');
    const forged = Buffer.from('another sketch');
    const path = await workshop.signing.write(forged);
    const sha256 = sha256Hex(forged);
    const exchanged = await verdictOf({ evidence: { attachments: [{ ...attachment, sha256, path }] } });
    expect(exchanged.verdict).toBe('invalid');
    expect(texts(exchanged)).toContain('SHA-256 of the file');
    const foreign = { ...attachment, attachmentId: 'att_018f2d1c7a3e7b4c8d5e6f7a8b9c0d1e' };
    expect(texts(await verdictOf({ evidence: { attachments: [foreign] } }))).toContain('no proved entry');
    const without = await verdictOf({ evidence: { attachments: [] } });
    expect(without.verdict).toBe('valid');
    expect(without.notProved.join(' ')).toContain('1 of 1 attachment ');
  });

  it('that says of a file that it was removed when the log does not', async () => {
    const contentRemoved = { cause: 'retention', removedAt: dossier.createdAt, entryIndex: 1 } as const;
    const chain = dossier.chain.map((one, i) => (i === 0 ? { ...one, contentRemoved } : one));
    const result = await verdictOf({ dossier: { chain } });
    expect(result.verdict).toBe('invalid');
    expect(texts(result)).toContain('was removed is not what the log says');
  });

  it('that leaves out, softens or settles what is owed', async () => {
    const { obligations } = dossier;
    if (obligations === undefined) throw new Error('obligations expected');
    const withItems = (items: typeof obligations.items): Partial<AssetDossier> => ({
      obligations: { ...obligations, items },
    });
    const first = obligations.items[0];
    if (first === undefined) throw new Error('an obligation expected');
    const rest = obligations.items.slice(1);
    const softened = { ...first, obligation: { ...first.obligation, applies: 'may_apply' as const } };
    const unproved = obligations.items.map((item) => ({ ...item, state: 'open' as const, proofs: [] }));
    const reworded = obligations.items.map((item) => ({
      ...item,
      proofs: item.proofs.map((proof) => ({ ...proof, text: 'It was never labeled.' })),
    }));
    const cases: [Partial<AssetDossier>, string][] = [
      [{ obligations: undefined }, 'leaves out what is owed'],
      [withItems(rest), 'The list of obligations'],
      [withItems([...rest, first]), 'The list of obligations'],
      [withItems([softened, ...rest]), 'The list of obligations'],
      [withItems([{ ...first, state: 'done' }, ...rest]), 'The state of'],
      [withItems(unproved), 'are not all that the bundle holds'],
      [withItems(reworded), 'is not the one that the log seals'],
      [{ obligations: { ...obligations, calendarSha256: sha256Hex('another') } }, 'The calendar of duties'],
    ];
    for (const [changes, words] of cases) {
      const result = await verdictOf({ dossier: changes });
      expect([words, result.verdict]).toEqual([words, 'invalid']);
      expect(texts(result)).toContain(words);
    }
  });

  it('that moves a proof to other words, or leaves out what was said of a later obligation', async () => {
    const { obligations } = dossier;
    const [changed, added] = obligations?.later ?? [];
    if (obligations === undefined || changed === undefined || added === undefined)
      throw new Error('later obligations expected');
    const withLater = (...later: (typeof added)[]): Partial<AssetDossier> => ({
      obligations: { ...obligations, later },
    });
    const reworded = { ...added.obligation, text: 'Something harmless.' };
    const moved = { ...added, obligation: reworded, sha256: sha256Hex(canonicalJson(reworded as never)) };
    const formless = { ...added.obligation, exemptions: undefined };
    const cases: [Partial<AssetDossier>, string][] = [
      [{ obligations: { ...obligations, later: undefined } }, 'leaves out what entry'],
      [withLater(changed), 'leaves out what entry'],
      [withLater(changed, moved), 'The id of'],
      [withLater(changed, moved), 'The words that'],
      [withLater(changed, { ...added, obligation: formless as never }), 'is not the form of an obligation'],
      [withLater(changed, { ...added, state: 'open' }), 'The state of'],
      [withLater({ ...changed, state: 'done' }, added), 'The state of'],
      [withLater({ ...changed, proofs: added.proofs }, { ...added, proofs: [] }), 'The obligation of'],
    ];
    for (const [changes, words] of cases) {
      const result = await verdictOf({ dossier: changes });
      expect([words, result.verdict]).toEqual([words, 'invalid']);
      expect(texts(result)).toContain(words);
    }
  });

  it('that leaves out, softens or closes what was found or claimed', async () => {
    const { examinations = [], claims = [] } = dossier;
    const [examination, claim] = [examinations[0], claims[0]];
    if (examination === undefined || claim === undefined) throw new Error('both are expected');
    const cleaned = examination.matter?.map(({ kind }) => ({ kind, found: 'none_seen' as const }));
    const cases: [Partial<AssetDossier>, string][] = [
      [{ examinations: undefined }, 'The examinations are not all'],
      [{ claims: [] }, 'The claims are not all'],
      [{ examinations: [{ ...examination, result: 'none_found' }] }, '"result" of'],
      [{ examinations: [{ ...examination, matter: cleaned }] }, '"matter" of'],
      [{ examinations: [{ ...examination, assetId: 'ast_1' }] }, '"assetId" of'],
      [{ examinations: [{ ...examination, document: 'License 1' }] }, 'The document of'],
      [{ claims: [{ ...claim, state: 'open' }] }, 'The state of'],
      [{ claims: [{ ...claim, answers: [], state: 'open' }] }, 'The answers to'],
      [{ claims: [{ ...claim, claimant: 'Nobody' }] }, 'The claimant of'],
      [{ claims: [{ ...claim, receivedOn: '2026-11-23' }] }, '"receivedOn" of'],
      [
        {
          claims: [
            { ...claim, answers: claim.answers.map((each) => ({ ...each, outcome: 'settled' as const })) },
          ],
        },
        '"outcome" of',
      ],
    ];
    for (const [changes, words] of cases) {
      const result = await verdictOf({ dossier: changes });
      expect([words, result.verdict]).toEqual([words, 'invalid']);
      expect(texts(result)).toContain(words);
    }
  });

  it('that says "human" where the log says "trained model"', async () => {
    const chain = dossier.chain.map((asset, i) =>
      i === 0 ? { ...asset, digitalSourceType: 'humanEdits' } : asset,
    );
    expect(texts(await verdictOf({ dossier: { chain } }))).toContain('digital source type');
  });

  it('that puts another signed picture in the place of the asset', async () => {
    const parent = dossier.chain[0];
    if (!parent) throw new Error('a parent expected');
    const main = evidence.assets.find(({ assetId }) => assetId === dossier.asset.id);
    const other = evidence.assets.find(({ assetId }) => assetId === parent.id);
    if (!main || !other) throw new Error('two files expected');
    const asset = { ...dossier.asset, sha256: other.sha256 };
    const chain = [...dossier.chain.slice(0, -1), asset];
    const result = await verdictOf({
      dossier: { asset, chain },
      evidence: { assets: [{ ...main, path: other.path, sha256: other.sha256 }] },
    });
    expect(texts(result)).toContain('the log recorded another SHA-256');
  });

  it('that brings another authority for the manifests', async () => {
    const other = await EvidenceWorkshop.create();
    const trustAnchorsPem = other.signing.keystore.caCertificatePem;
    await other.close();
    const result = await verdictOf({ evidence: { trustAnchorsPem } });
    expect(texts(result)).toContain('not signed under the authority');
  });

  it('that brings a list of authorities for names under another name, or one that cannot be read', async () => {
    const [list] = evidence.identityLists;
    if (!list) throw new Error('a list expected');
    const changed = await verdictOf({
      evidence: { identityLists: [{ ...list, anchorsPem: `${list.anchorsPem}\n` }] },
    });
    expect(texts(changed)).toContain('is not the one that it says it is');
    const unreadable = await verdictOf({ evidence: { identityLists: [{ ...list, name: '' }] } });
    expect(texts(unreadable)).toContain('The authorities for names cannot be read');
  });

  it('that is refused while it is written when the store lost the bytes', async () => {
    const path = await workshop.signing.write(Buffer.from('something else'));
    const assets = evidence.assets.map((asset) => ({ ...asset, path }));
    await expect(write(dossier, { ...evidence, assets })).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
  });
});

describe('who is named in an asset', () => {
  it('is said with the list by which the name is believed, its day, and that the list came with the bundle', async () => {
    const { statements, notProved } = await runVerifyBundle(bundlePath, known());
    const named = statements.filter(({ text }) => text.includes('names “Acme'));
    expect(named.map(({ text }) => text).join(' ')).toMatch(
      /as cawg\.creator\. This identity holds, by the list: development authority of this installation, which proves no name \(came with the bundle, as of \d{4}-\d\d-\d\d\)/,
    );
    expect(notProved.join(' ')).toContain('Who vouches for a name came with the bundle');
  });

  it('is believed by no other list: those for signers say nothing about names', async () => {
    const [list] = evidence.identityLists;
    const anchorsPem = workshop.signing.anchors.claims;
    const other = list && { ...list, anchorsPem, sha256: sha256Hex(anchorsPem) };
    const path = await write(dossier, { ...evidence, identityLists: other ? [other] : [] });
    const without = await write(dossier, { ...evidence, identityLists: [] });
    for (const each of [path, without]) {
      const { verdict, notProved } = await runVerifyBundle(each, known());
      expect(verdict).toBe('valid');
      expect(notProved.join(' ')).toContain('nobody whom we trust vouches for it');
    }
  });
});

describe('an asset that was not released', () => {
  it('is said to be unreleased, and the bundle is still valid', async () => {
    const path = await write({ ...dossier, release: undefined }, evidence);
    const result = await runVerifyBundle(path, known());
    expect(result.verdict).toBe('valid');
    expect(result.subject?.released).toBe(false);
    expect(result.notProved.join(' ')).toContain('had not been released');
  });
});

it('keeps the form of its container, so that old bundles verify with later versions', async () => {
  const { bundleZip } = await import('../adapters/bundle-zip.js');
  const { Readable } = await import('node:stream');
  const files = ['a.txt', 'b/c.txt'].map((path) => ({
    path,
    sizeBytes: 5,
    open: () => Promise.resolve(Readable.from([Buffer.from('hello')])),
  }));
  const chunks = await bundleZip(files, new Date('2026-11-22T23:59:00.000Z')).toArray();
  expect(sha256Hex(Buffer.concat(chunks as Buffer[]))).toBe(
    'b0f27f80b363fcbf14e6f0dba3c1481e9eb8db1337756d9a1170ef3088f418d5',
  );
});
