import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type DataSource } from 'typeorm';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx } from '../../src/database/organization-tx.js';
import { bitText, FingerprintRepository } from '../../src/recovery/adapters/fingerprint.repository.js';
import { normalizePicture } from '../../src/assets/adapters/normalize-picture.js';
import { IsolatedFingerprinter } from '../../src/recovery/adapters/isolated-fingerprinter.js';
import { FillFingerprints, type FillProgress } from '../../src/recovery/application/fill-fingerprints.js';
import { hammingDistance } from '../../src/recovery/domain/iscc/image-code.js';
import { newId, publicId } from '../../src/shared/ids.js';
import { HumanWorkRows, outcomeOf } from '../support/human-work-rows.js';
import { scenePicture } from '../support/pictures.js';

const DENIED = '42501';

let rows: HumanWorkRows;
let dataSource: DataSource;
let organizationTx: OrganizationTx;
let repository: FingerprintRepository;

beforeAll(async () => {
  rows = await HumanWorkRows.create();
  dataSource = createDataSource({
    url: rows.database.applicationUrl,
    applicationName: 'recovery test',
    poolSize: 2,
    entities: [],
  });
  await dataSource.initialize();
  organizationTx = new OrganizationTx(dataSource);
  repository = new FingerprintRepository(dataSource, { now: () => new Date() });
});
afterAll(async () => {
  await dataSource.destroy();
  await rows.drop();
});

/** 128 ones, as codes of pictures have. */
const anyCode = fc
  .shuffledSubarray(
    Array.from({ length: 256 }, (_, at) => at),
    { minLength: 128, maxLength: 128 },
  )
  .map((ones) => flipped(new Uint8Array(32), ones));

function flipped(code: Uint8Array, places: readonly number[]): Uint8Array {
  const changed = Uint8Array.from(code);
  for (const place of places) changed[place >> 3] = (changed[place >> 3] ?? 0) ^ (0x80 >> (place & 7));
  return changed;
}

async function keep(code: Uint8Array): Promise<string> {
  const assetId = await rows.makeAsset(rows.people.maker);
  await organizationTx.run(rows.organization, (tx) =>
    Promise.resolve(repository.save(tx, assetId, { trimmed: code, whole: code })),
  );
  return assetId;
}

const own = (code: Uint8Array, organization = rows.organization) =>
  organizationTx.run(organization, (tx) => repository.findOwn(tx, code, 50));

async function release(assetId: string): Promise<void> {
  const reviewId = newId();
  const made = { entry_id: newId(), sealed_comment: 's', created_at: new Date() };
  const review = { id: reviewId, asset_id: assetId, reviewer_id: rows.people.reviewer, decision: 'approve' };
  await rows.insert('review', { ...review, sha256: assetId, ...made });
  const client = await rows.begin();
  await client.query(
    `INSERT INTO asset_release (organization_id, asset_id, review_id, released_by, entry_id, released_at)
     VALUES ($1, $2, $3, $4, $5, now())`,
    [rows.organization, assetId, reviewId, rows.people.runner, newId()],
  );
  await client.query('COMMIT');
}

describe('the index', () => {
  it('finds every code that differs in at most 31 of 256 bits, with its exact distance', async () => {
    await fc.assert(
      fc.asyncProperty(anyCode, fc.uniqueArray(fc.nat(255), { maxLength: 31 }), async (code, places) => {
        const assetId = await keep(code);
        const asked = flipped(code, places);
        const found = (await own(asked)).find((match) => match.assetId === assetId);
        expect(found?.distance).toBe(hammingDistance(code, asked));
      }),
      { numRuns: 40 },
    );
  });

  it('leaves out even areas, which are all alike', async () => {
    const even = flipped(new Uint8Array(32), [0, 64, 128, 192]);
    await keep(even);
    expect(await own(even)).toEqual([]);
  });

  it('answers an organization of its own codes only, and strangers of what was released only', async () => {
    const [code] = fc.sample(anyCode, 1);
    const assetId = await keep(code as Uint8Array);
    const asked = code as Uint8Array;
    expect((await own(asked)).map((match) => match.assetId)).toEqual([assetId]);
    expect(await own(asked, newId())).toEqual([]);
    expect(await repository.findReleased(asked, 50)).toEqual([]);
    await release(assetId);
    expect(await repository.findReleased(asked, 50)).toEqual([
      { organizationId: rows.organization, assetId, distance: 0 },
    ]);
    expect(await repository.releasedWith(assetId)).toEqual({ organizationId: rows.organization, assetId });
  });

  it('cannot be read or written by the application itself', async () => {
    const client = await rows.begin();
    for (const sql of [
      'SELECT * FROM fingerprint_index',
      `INSERT INTO fingerprint_index VALUES ('${rows.organization}', '${newId()}', 'whole', B'1'::bit(256), '{}')`,
      `INSERT INTO released_manifest VALUES ('${rows.organization}', '${newId()}', 'urn:c2pa:forged')`,
      'SELECT index_fingerprint()',
      'SELECT note_released_manifest()',
    ]) {
      await client.query('SAVEPOINT before');
      expect([sql, await outcomeOf(client.query(sql))]).toEqual([sql, DENIED]);
      await client.query('ROLLBACK TO before');
    }
    await client.query('ROLLBACK');
  });

  it('tells nothing to a session without an organization, and nothing to the sequencer', async () => {
    const [code] = fc.sample(anyCode, 1);
    await keep(code as Uint8Array);
    const ask = 'SELECT * FROM find_own_fingerprints($1::bit(256), 40, 50)';
    expect(await dataSource.query(ask, [bitText(code as Uint8Array)])).toEqual([]);
    const sequencer = new pg.Client({
      connectionString: rows.database.sequencerUrl,
      options: '-c search_path=colophon',
    });
    await sequencer.connect();
    expect(await outcomeOf(sequencer.query(ask, [bitText(code as Uint8Array)]))).toBe(DENIED);
    await sequencer.end();
  });
});

describe('assets from before there were fingerprints', () => {
  it('get theirs, one broken picture does not stop the others, and a second run has nothing to do', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'colophon-fill-'));
    const [good, broken] = [await rows.makeAsset(rows.people.maker), await rows.makeAsset(rows.people.maker)];
    for (const [kind, mediaType] of [
      ['video', 'video/mp4'],
      ['audio', 'audio/wav'],
      ['model3d', 'model/gltf-binary'],
      ['image', 'image/svg+xml'],
    ] as const)
      await rows.makeAsset(rows.people.maker, { kind, mediaType });
    await rows.inspector.query('INSERT INTO signed_file VALUES ($1, $2, $3)', [
      good,
      rows.organization,
      good,
    ]);
    writeFileSync(join(folder, good), await scenePicture(7));
    writeFileSync(join(folder, broken), 'no picture');
    const reports: FillProgress[] = [];
    const problems: (string | undefined)[] = [];
    const fill = () =>
      new FillFingerprints(
        organizationTx,
        repository,
        { localPath: (_organization: string, sha256: string) => Promise.resolve(join(folder, sha256)) },
        new IsolatedFingerprinter({ normalize: normalizePicture }, () => undefined),
        (progress, problem) => {
          reports.push(progress);
          if (problem !== undefined) problems.push(problem.assetId);
        },
      );
    const first = fill();
    await first.run();
    expect(first.progress).toEqual({ missing: 1, made: 1, failed: 1 });
    const second = fill();
    await second.run();
    expect(second.progress).toEqual({ missing: 1, made: 0, failed: 1 });
    expect(reports.length).toBeGreaterThan(0);
    const named = publicId('asset', broken);
    expect(problems).toEqual([named, named]);
    rmSync(folder, { recursive: true });
  });
});
