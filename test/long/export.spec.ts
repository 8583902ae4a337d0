import { request as httpRequest } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { leafHash } from '../../src/audit/core/merkle.js';
import { verifyLog } from '../../src/audit/verify/verify-log.js';
import { trustOf } from '../../src/cli/log-key.js';
import { zipLogSource } from '../../src/cli/zip-log-source.js';
import { CreateOrganization } from '../../src/identity/application/create-organization.js';
import { canonicalJson, type JsonValue } from '../../src/shared/canonical-json.js';
import { systemClock } from '../../src/shared/clock.js';
import { addPerson, formWith, json, OWN_RIGHTS, postForm, productShot, runToEnd } from '../support/api.js';
import { noisePicture } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

const FORMULAS = [
  `=cmd|' /C calc'!A0`,
  '+1+1',
  '-2+3',
  '@SUM(1)',
  `"quoted", with a comma; and a semicolon`,
  '中文 é 🎨',
];

interface Line {
  entry: { type: string; at: string; subject: { id: string }; data: JsonValue };
  id: string;
  index: number;
  leafHash: string;
  projectId?: string;
}
interface LastLine {
  export: { complete: boolean; entries: number; size: number; rootHash: string; origin: string };
}

let app: TestApplication;
let auditor: string;
let assetId: string;

beforeAll(async () => {
  app = await startTestApplication();
  auditor = (await addPerson(app, ['auditor'])).key;
  for (const name of FORMULAS) {
    expect((await app.request('/v1/projects', json({ name }))).status).toBe(201);
  }
  // The name of a file is sealed: hostile or not, it is not in any export.
  const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
  const form = formWith(await noisePicture(), '=holiday.png', { declaration });
  const sent = await app.request('/v1/assets', postForm(form));
  assetId = ((await sent.json()) as { id: string }).id;
  await runToEnd(app, productShot(app, { inputs: { prompt: `=secret ${'x'.repeat(1900)}` } }));
});
afterAll(() => app.close());

async function lines(query = ''): Promise<{ lines: Line[]; last: LastLine['export']; response: Response }> {
  const response = await app.request(`/v1/audit/export${query}`, { key: auditor });
  expect(response.status).toBe(200);
  const texts = (await response.text()).trimEnd().split('\n');
  const last = (JSON.parse(texts.pop() ?? '{}') as LastLine).export;
  return { lines: texts.map((text) => JSON.parse(text) as Line), last, response };
}

/** RFC 4180, read by the book. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /("(?:[^"]|"")*"|[^,\r\n"]*)(,|\r\n)/gy;
  for (let match = cell.exec(text); match; match = cell.exec(text)) {
    const [, raw = '', end] = match;
    row.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (end === ',') continue;
    rows.push(row);
    row = [];
    if (cell.lastIndex === text.length) break;
  }
  expect(cell.lastIndex === 0 || cell.lastIndex === text.length).toBe(true);
  return rows;
}

async function csv(query = ''): Promise<Record<string, string>[]> {
  const response = await app.request(`/v1/audit/export?format=csv${query}`, { key: auditor });
  expect(response.headers.get('content-type')).toContain('text/csv');
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(bytes.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]));
  const [header = [], ...rows] = parseCsv(bytes.subarray(3).toString('utf8'));
  for (const row of rows) expect(row).toHaveLength(header.length);
  return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i] ?? ''])));
}

describe('GET /v1/audit/export', () => {
  it('gives every entry with the bytes that were hashed, and says where it ends', async () => {
    const { lines: all, last, response } = await lines();
    expect(all.map(({ index }) => index)).toEqual(all.map((_, i) => i));
    for (const { entry, leafHash: claimed } of all) {
      const bytes = canonicalJson(entry);
      expect(Buffer.from(leafHash(bytes)).toString('hex')).toBe(claimed);
    }
    expect(last).toMatchObject({ complete: true, entries: all.length, size: all.length });
    expect(response.headers.get('x-colophon-log-size')).toBe(String(last.size));
    expect(response.headers.get('x-colophon-log-root')).toBe(last.rootHash);
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="org_\w+-log-\d+\.ndjson"$/,
    );
  });

  it('is recorded before it begins, with its filter, and not in itself', async () => {
    const query = `?type=asset.received&subject=${assetId}&from=2020-01-01T00:00:00Z&project=${app.instance.projectId}`;
    const first = await lines(query);
    expect(first.lines).toHaveLength(1);
    const { lines: exports } = await lines('?type=log.exported');
    expect(exports.at(-1)).toMatchObject({
      index: expect.any(Number),
      projectId: app.instance.projectId,
      entry: {
        data: {
          format: 'ndjson',
          size: first.last.size,
          filter: {
            type: 'asset.received',
            subjectId: assetId,
            projectId: app.instance.projectId,
            from: '2020-01-01T00:00:00.000Z',
          },
        },
      },
    });
    expect(exports.at(-1)?.index).toBeGreaterThanOrEqual(first.last.size);
  });

  it('filters like the list, alone and together', async () => {
    const { lines: all } = await lines();
    const middle = all[Math.floor(all.length / 2)]?.entry.at ?? '';
    const filters: [string, (line: Line) => boolean][] = [
      ['type=project.created', ({ entry }) => entry.type === 'project.created'],
      [`subject=${assetId}`, ({ entry }) => entry.subject.id === assetId],
      [`from=${middle}`, ({ entry }) => entry.at >= middle],
      [`until=${middle}`, ({ entry }) => entry.at < middle],
      [
        `until=${middle}&type=project.created`,
        ({ entry }) => entry.at < middle && entry.type === 'project.created',
      ],
      ['from=2100-01-01T00:00:00Z', () => false],
      ['until=2000-01-01T00:00:00Z', () => false],
    ];
    for (const [query, meets] of filters) {
      const found = (await lines(`?${query}`)).lines.filter(({ index }) => index < all.length);
      expect({ query, found: found.map(({ index }) => index) }).toEqual({
        query,
        found: all.filter(meets).map(({ index }) => index),
      });
    }
  });

  it('gives a CSV in which nothing is a formula, and nothing is lost', async () => {
    const rows = await csv('&type=project.created');
    for (const name of FORMULAS) {
      const row = rows.find(({ data }) => (JSON.parse(data ?? '') as { name: string }).name === name);
      expect(row).toBeDefined();
    }
    const all = await csv();
    for (const row of all)
      for (const cell of Object.values(row)) expect(cell).not.toMatch(/^[=+\-@\t\r\n\0]/);
    const { lines: same } = await lines();
    expect(all.map(({ leaf_hash }) => leaf_hash)).toEqual(
      same.slice(0, all.length).map((line) => line.leafHash),
    );
    expect(all.find(({ type }) => type === 'asset.received')).toMatchObject({
      subject_kind: 'asset',
      subject_id: assetId,
      actor_kind: 'api_key',
      project_id: app.instance.projectId,
      sealed: expect.stringMatching(/^\{"fileName":"[\w-]{43}"\}$/),
    });
  });

  it('never opens what is sealed', async () => {
    for (const format of ['ndjson', 'csv']) {
      const response = await app.request(`/v1/audit/export?format=${format}`, { key: auditor });
      const text = await response.text();
      for (const secret of ['holiday', '=secret', 'xxxxxxxx']) expect(text).not.toContain(secret);
    }
  });

  it('is for those who keep the log, and for their own organization', async () => {
    for (const role of ['creator', 'reviewer', 'asset_manager']) {
      const { key } = await addPerson(app, [role]);
      await expectProblem(await app.request('/v1/audit/export', { key }), 'forbidden');
      await expectProblem(await app.request('/v1/audit/archive', { key }), 'forbidden');
      await expectProblem(await app.request('/v1/audit/checks', { method: 'POST', key }), 'forbidden');
    }
    await expectProblem(await app.request('/v1/audit/export', { key: null }), 'unauthenticated');
    const { organizationTx, logKeys, appendEntry } = app.services;
    const create = new CreateOrganization(organizationTx, logKeys, appendEntry, systemClock);
    const { organizationId } = await create.create('another', 'another.example');
    const principal = {
      organizationId,
      principalId: organizationId,
      keyId: 'key_1',
      mode: 'live',
      roles: [],
    } as const;
    const { chunks } = await app.services.exportEntries.start(principal, 'ndjson', { subjectId: assetId });
    const found: Buffer[] = [];
    for await (const chunk of chunks) found.push(chunk);
    expect(Buffer.concat(found).toString()).toMatch(/^\{"export":\{"complete":true,"entries":0,/);
  });

  it('refuses filters that could write a person into the log, and formats that it does not know', async () => {
    const bad = [
      'subject=mia@example.com',
      'actor=Mia%20M',
      'format=xlsx',
      'from=yesterday',
      'cursor=abc',
      'type=%27',
    ];
    for (const query of bad)
      await expectProblem(
        await app.request(`/v1/audit/export?${query}`, { key: auditor }),
        'invalid_request',
      );
  });

  it('stops reading when nobody takes the answer any more', async () => {
    // Far more than fits into the buffers between here and there.
    const { organizationId } = app.instance;
    const uuid = organizationId.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    const filler = Array.from({ length: 6_000 }, () =>
      app.services.logWriter.append(uuid, {
        type: 'opening.read',
        actor: { kind: 'system', id: 'test' },
        subject: { kind: 'organization', id: organizationId },
        data: { entryIds: Array.from({ length: 60 }, () => `ent_${'0'.repeat(32)}`) },
      }),
    );
    await Promise.all(filler);
    let pages = 0;
    // The export is made as it is taken: it has ended when the generator has.
    const start = app.services.exportEntries.start.bind(app.services.exportEntries);
    const ended = new Promise<void>((resolve) => {
      app.services.exportEntries.start = async (...parameters) => {
        const started = await start(...parameters);
        return { ...started, chunks: untilEnded(started.chunks, resolve) };
      };
    });
    const list = app.services.readLog.list.bind(app.services.readLog);
    app.services.readLog.list = (...parameters) => {
      pages += 1;
      return list(...parameters);
    };
    try {
      await new Promise<void>((resolve, reject) => {
        const asked = httpRequest(
          `${app.url}/v1/audit/export`,
          { headers: { authorization: `Bearer ${auditor}` } },
          (response) => response.once('data', () => resolve(void asked.destroy())),
        );
        asked.once('error', (error) => (asked.destroyed ? undefined : reject(error)));
        asked.end();
      });
      await ended;
      expect(pages).toBeLessThan(20);
    } finally {
      app.services.readLog.list = list;
      app.services.exportEntries.start = start;
    }
    expect((await lines()).lines.length).toBeGreaterThan(6_000);
  });
});

describe('GET /v1/audit/archive', () => {
  it('is a log that fsck calls clean, in one state although the log grows', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'colophon-archive-'));
    try {
      const response = await app.request('/v1/audit/archive', { key: auditor });
      expect(response.status).toBe(200);
      const reading = response.arrayBuffer();
      for (let count = 0; count < 5; count++)
        await app.request('/v1/projects', json({ name: `later ${count}` }));
      const file = join(folder, 'log.zip');
      await writeFile(file, Buffer.from(await reading));
      const source = await zipLogSource(file);
      const { log } = app.instance;
      const report = await verifyLog(source, trustOf(log.vkey, log.origin));
      expect(report.findings).toEqual([]);
      expect(report.size).toBe(Number(response.headers.get('x-colophon-log-size')));
      expect(Buffer.from((await source.read('vkey')) ?? []).toString()).toBe(`${log.vkey}\n`);
      source.close();
      const { lines: exports } = await lines('?type=log.exported');
      expect(exports.map(({ entry }) => entry.data)).toContainEqual({
        format: 'archive',
        size: report.size,
        filter: {},
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

async function* untilEnded(chunks: AsyncGenerator<Buffer>, onEnd: () => void): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } finally {
    onEnd();
  }
}
