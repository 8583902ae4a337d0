import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '../../src/shared/ids.js';
import { HumanWorkRows, outcomeOf } from '../support/human-work-rows.js';

/** Raised by refuse_unapproved_release(). */
const NOT_APPROVED = 'CLP02';
const UNIQUE_VIOLATION = '23505';

let rows: HumanWorkRows;
beforeAll(async () => {
  rows = await HumanWorkRows.create();
});
afterAll(() => rows.drop());

/** @returns the id of the review; `sha256` is the hash that the reviewer saw */
async function review(
  assetId: string,
  decision: 'approve' | 'reject' | 'request_changes',
  sha256 = assetId,
  reviewer = rows.people.reviewer,
): Promise<string> {
  const id = newId();
  const what = { id, asset_id: assetId, reviewer_id: reviewer, decision, sha256 };
  const record = { sealed_comment: 's', entry_id: newId(), created_at: new Date() };
  await rows.insert('review', { ...what, ...record });
  return id;
}

/** As the application would write it, had it forgotten to look; rolled back. */
async function release(assetId: string, reviewId: string, before: readonly string[] = []): Promise<string> {
  const client = await rows.begin();
  for (const statement of before) await client.query(statement);
  const outcome = await outcomeOf(
    client.query(
      `INSERT INTO colophon.asset_release (organization_id, asset_id, review_id, released_by, entry_id, released_at)
       VALUES ($1, $2, $3, $4, $5, now())`,
      [rows.organization, assetId, reviewId, rows.people.runner, newId()],
    ),
  );
  await client.query('ROLLBACK');
  return outcome;
}

describe('a release that is written straight into the database, round the program', () => {
  let asset: string;
  beforeEach(async () => {
    asset = await rows.makeAsset(rows.people.maker);
  });

  it('is accepted when exactly this asset was approved', async () => {
    expect(await release(asset, await review(asset, 'approve'))).toBe('accepted');
  });

  it('is refused when the reviewer rejected', async () => {
    expect(await release(asset, await review(asset, 'reject'))).toBe(NOT_APPROVED);
  });

  it('is refused as long as a reviewer waits for changes, whoever else approved', async () => {
    await review(asset, 'request_changes', asset, rows.people.second);
    const approval = await review(asset, 'approve');
    expect(await release(asset, approval)).toBe(NOT_APPROVED);
    await review(asset, 'approve', asset, rows.people.second);
    expect(await release(asset, approval)).toBe('accepted');
  });

  it('waits for the approval of two people where a use case behind it asks for two', async () => {
    const useCase = await rows.addUseCase();
    const run = await rows.startRun(rows.people.maker, useCase);
    const made = await rows.makeAsset(rows.people.maker, { origin: 'step', runId: run });
    const edited = await rows.makeAsset(rows.people.maker, { parents: [made], origin: 'edit' });
    await rows.setReview(useCase, { approvals: 2 });
    const approval = await review(edited, 'approve');
    expect(await release(edited, approval)).toBe(NOT_APPROVED);
    await review(edited, 'approve', edited, rows.people.second);
    expect(await release(edited, approval)).toBe('accepted');
    // The settings of that day count: the newest version, not the first.
    const other = await rows.makeAsset(rows.people.maker, { origin: 'step', runId: run });
    const one = await review(other, 'approve');
    expect(await release(other, one)).toBe(NOT_APPROVED);
    await rows.setReview(useCase, { approvals: 1 });
    expect(await release(other, one)).toBe('accepted');
  });

  it('waits for a human contribution where a use case asks for one, and a withdrawn one is none', async () => {
    const useCase = await rows.addUseCase();
    const run = await rows.startRun(rows.people.maker, useCase);
    const made = await rows.makeAsset(rows.people.maker, { origin: 'step', runId: run });
    const edited = await rows.makeAsset(rows.people.editor, {
      parents: [made],
      origin: 'edit',
      relationship: 'parentOf',
    });
    await rows.setReview(useCase, { approvals: 1, humanContribution: true });
    const approval = await review(edited, 'approve');
    expect(await release(edited, approval)).toBe(NOT_APPROVED);
    // What was declared afterwards does not suffice; nor what only assisted.
    await rows.contribute(edited, made, rows.people.editor);
    await rows.contribute(edited, made, rows.people.editor, {
      capture: 'automatic',
      basis: 'assistive_only',
    });
    expect(await release(edited, approval)).toBe(NOT_APPROVED);
    const act = await rows.contribute(edited, made, rows.people.editor, { capture: 'declared_at_time' });
    expect(await release(edited, approval)).toBe('accepted');
    await rows.withdraw(act, rows.people.editor);
    expect(await release(edited, approval)).toBe(NOT_APPROVED);
  });

  it('of a rejection and a release at the same moment, one is refused', async () => {
    const approval = await review(asset, 'approve');
    const [releasing, rejecting] = [await rows.begin(), await rows.begin()];
    await releasing.query(
      `INSERT INTO asset_release (organization_id, asset_id, review_id, released_by, entry_id, released_at)
       VALUES ($1, $2, $3, $4, $5, now())`,
      [rows.organization, asset, approval, rows.people.runner, newId()],
    );
    const late = outcomeOf(
      rejecting.query(
        `INSERT INTO review (organization_id, id, asset_id, reviewer_id, decision, sealed_comment, sha256, entry_id, created_at)
         VALUES ($1, $2, $3, $4, 'reject', 's', $6, $5, now())`,
        [rows.organization, newId(), asset, rows.people.second, newId(), asset],
      ),
    );
    await releasing.query('COMMIT');
    expect(await late).toBe('CLP03');
    await rejecting.query('ROLLBACK');
  });

  it('is refused when nobody has decided', async () => {
    expect(await release(asset, newId())).toBe(NOT_APPROVED);
  });

  it('is refused with the approval of another asset, also of its parent and of its child', async () => {
    const other = await rows.makeAsset(rows.people.maker);
    const child = await rows.makeAsset(rows.people.maker, { parents: [asset] });
    expect(await release(asset, await review(other, 'approve'))).toBe(NOT_APPROVED);
    expect(await release(asset, await review(child, 'approve'))).toBe(NOT_APPROVED);
    expect(await release(child, await review(asset, 'approve'))).toBe(NOT_APPROVED);
  });

  it('is refused when the reviewer saw other bytes', async () => {
    expect(await release(asset, await review(asset, 'approve', newId()))).toBe(NOT_APPROVED);
  });

  it('is refused for what was made with a test key, although it was approved', async () => {
    const test = await rows.makeAsset(rows.people.maker, { mode: 'test' });
    expect(await release(test, await review(test, 'approve'))).toBe(NOT_APPROVED);
  });

  it('is refused also when the application hides the true tables behind temporary ones', async () => {
    const reviewId = await review(asset, 'reject');
    const decoys = [
      'CREATE TEMPORARY TABLE review (organization_id uuid, id uuid, asset_id uuid, decision text, sha256 text)',
      'CREATE TEMPORARY TABLE asset (organization_id uuid, id uuid, sha256 text, mode text)',
      `INSERT INTO pg_temp.review VALUES ('${rows.organization}', '${reviewId}', '${asset}', 'approve', 's')`,
      `INSERT INTO pg_temp.asset VALUES ('${rows.organization}', '${asset}', 's', 'live')`,
    ];
    expect(await release(asset, reviewId, decoys)).toBe(NOT_APPROVED);
  });

  it('is refused from a superuser too, also in a session that asks for no triggers', async () => {
    const reviewId = await review(asset, 'reject');
    const insert = () =>
      outcomeOf(
        rows.insert('asset_release', {
          asset_id: asset,
          review_id: reviewId,
          released_by: rows.people.runner,
          entry_id: newId(),
          released_at: new Date(),
        }),
      );
    expect(await insert()).toBe(NOT_APPROVED);
    await rows.inspector.query('SET session_replication_role = replica');
    try {
      expect(await insert()).toBe(NOT_APPROVED);
    } finally {
      await rows.inspector.query('RESET session_replication_role');
    }
  });

  it('is written once, and cannot be changed or taken back by the application', async () => {
    const reviewId = await review(asset, 'approve');
    const once = `INSERT INTO asset_release VALUES
      ('${rows.organization}', '${asset}', '${reviewId}', '${rows.people.runner}', '${newId()}', now())`;
    expect(await release(asset, reviewId, [once])).toBe(UNIQUE_VIOLATION);
    for (const change of ['UPDATE asset_release SET released_at = now()', 'DELETE FROM asset_release'])
      await expect(release(asset, reviewId, [change])).rejects.toThrow('permission denied');
  });
});
