import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { type TestApplication } from './test-application.js';

/** Facts under which the studio's own tools are cleared everywhere. */
export const HARMLESS_FACTS = {
  purpose: 'commercial',
  audienceCountries: ['US'],
  organizationRevenueUsd: 5_000_000,
} as const;

export function json(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...headers },
  };
}

export interface RunAnswer {
  id: string;
  state: string;
  clearanceId: string;
  steps: { key: string; state: string; assetId: string | null; error: { code: string } | null }[];
}

/** A run of the built-in pipeline, on small pictures where the test names no size. */
export function productShot(
  app: TestApplication,
  { inputs, ...changes }: Record<string, unknown> & { readonly inputs?: Record<string, unknown> } = {},
): Record<string, unknown> {
  return {
    projectId: app.instance.projectId,
    useCase: 'hero-image',
    pipeline: 'product-shot',
    inputs:
      changes.pipeline === undefined
        ? { prompt: 'a bottle on a table', width: 256, height: 256, ...inputs }
        : (inputs ?? {}),
    facts: HARMLESS_FACTS,
    ...changes,
  };
}

/** Follows the run's own event stream to its end, so no test sleeps. */
export async function runToEnd(app: TestApplication, body: unknown, key?: string): Promise<RunAnswer> {
  const auth = key === undefined ? {} : { key };
  const started = await app.request('/v1/runs', { ...json(body), ...auth });
  expect(started.status).toBe(202);
  const { id } = (await started.json()) as RunAnswer;
  await (await app.request(`/v1/runs/${id}/events`, auth)).text();
  return (await (await app.request(`/v1/runs/${id}`, auth)).json()) as RunAnswer;
}

export function formWith(bytes: Uint8Array, fileName: string, fields: Record<string, unknown>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields))
    form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  form.set('file', new Blob([bytes]), fileName);
  return form;
}

export function postForm(form: FormData, key: string = randomUUID()): RequestInit {
  return { method: 'POST', body: form, headers: { 'idempotency-key': key } };
}

/** A second person, or a program, with their own key, in the organization of the admin who adds them. */
export async function addPerson(
  app: TestApplication,
  roles: readonly string[],
  {
    admin = app.instance.keys.live,
    mode = 'live',
    kind = 'user',
  }: { admin?: string; mode?: 'live' | 'test'; kind?: 'user' | 'service' } = {},
): Promise<{ principalId: string; key: string }> {
  const principal = (await (
    await app.request('/v1/principals', {
      ...json({ kind, displayName: 'Second person', roles }),
      key: admin,
    })
  ).json()) as { id: string };
  const key = (await (
    await app.request('/v1/api-keys', { ...json({ principalId: principal.id, mode }), key: admin })
  ).json()) as { key: string };
  return { principalId: principal.id, key: key.key };
}

export const OWN_RIGHTS = {
  rightsBasis: 'owned',
  showsPeople: 'no',
  allowedUses: ['commercial'],
  aiInput: 'yes',
  territory: 'worldwide',
  expiresAt: null,
} as const;

export const RETOUCH = {
  actionType: 'RETOUCH',
  basis: 'modification',
  capture: 'declared_at_time',
  tool: { name: 'GIMP', version: '3.0' },
  statement: 'painted a label',
} as const;
