import type { Instance } from '../../identity/application/create-development-organization.js';
import { APPROVAL, DESIGNER, EDIT, forbiddenShot, productShot, REVIEWER } from './campaign.js';
import { DemoClient, DemoFailure } from './demo-client.js';
import { editLikeADesigner } from './human-edit.js';
import { type Progress, type StepDisplay } from './progress.js';
import { makeReports, type Report } from './reports.js';

/** What the story leaves behind, by public id. */
export interface StoryResult {
  readonly organizationId: string;
  readonly projectId: string;
  readonly deniedClearanceId: string;
  readonly runId: string;
  readonly assetId: string;
  /** The asset and everything that it descends from, the asset first. */
  readonly lineageAssetIds: readonly string[];
  readonly contributionIds: readonly string[];
  readonly reviewId: string;
  readonly reports: readonly Report[];
}

interface People {
  readonly owner: DemoClient;
  readonly designer: DemoClient;
  readonly reviewer: DemoClient;
}

interface RunAnswer {
  readonly id: string;
  readonly state: string;
  readonly steps: readonly { readonly key: string; readonly assetId: string | null }[];
}

/** The main job from beginning to end: refused, generated, edited, approved, released, reported. */
export async function tellStory(instance: Instance, progress: Progress): Promise<StoryResult> {
  const owner = new DemoClient(instance.url, instance.keys.live);
  const people = await progress.step('Add a designer and a reviewer', (display) =>
    addPeople(instance, owner, display),
  );
  const deniedClearanceId = await progress.step('Ask for a model that is forbidden there', (display) =>
    refusedRun(instance, owner, display),
  );
  const run = await progress.step('Run the pipeline product-shot', (display) =>
    liveRun(instance, owner, display),
  );
  const pictureId = run.steps.at(-1)?.assetId;
  if (pictureId === null || pictureId === undefined) throw new DemoFailure('the run left no picture');
  const edit = await progress.step('A person edits the picture', (display) =>
    humanEdit(people, pictureId, display),
  );
  await progress.step('Makers may not approve their own work', (display) =>
    ownApproval(people, edit.assetId, display),
  );
  const reviewId = await progress.step('A second person approves; release', (display) =>
    approve(people, edit.assetId, display),
  );
  const reports = await makeReports(owner, edit.assetId, progress);
  const lineage = await owner.get<{ items: { id: string }[] }>(`/v1/assets/${edit.assetId}/lineage`);
  return {
    organizationId: instance.organizationId,
    projectId: instance.projectId,
    deniedClearanceId,
    runId: run.id,
    assetId: edit.assetId,
    lineageAssetIds: lineage.items.map(({ id }) => id),
    contributionIds: [edit.contributionId],
    reviewId,
    reports,
  };
}

async function addPeople(instance: Instance, owner: DemoClient, display: StepDisplay): Promise<People> {
  const add = async (person: object): Promise<DemoClient> => {
    const { id } = await owner.post<{ id: string }>('/v1/principals', person);
    const { key } = await owner.post<{ key: string }>('/v1/api-keys', { principalId: id, mode: 'live' });
    return new DemoClient(instance.url, key);
  };
  const people = { owner, designer: await add(DESIGNER), reviewer: await add(REVIEWER) };
  display.detail(`${DESIGNER.displayName} (creator, reviewer), ${REVIEWER.displayName} (reviewer)`);
  return people;
}

async function refusedRun(instance: Instance, owner: DemoClient, display: StepDisplay): Promise<string> {
  const problem = await owner.postRefused<{
    clearanceId: string;
    findings: { ruleId: string; severity: string }[];
  }>('/v1/runs', forbiddenShot(instance.projectId), { status: 403, code: 'clearance_denied' });
  if (
    !problem.findings.some(({ severity, ruleId }) => severity === 'deny' && ruleId === 'territory-outputs')
  ) {
    throw new DemoFailure('the run was refused, but not for the territory');
  }
  display.detail(`refused, as it must be: ${problem.detail ?? ''}`);
  return problem.clearanceId;
}

async function liveRun(instance: Instance, owner: DemoClient, display: StepDisplay): Promise<RunAnswer> {
  const { id } = await owner.post<RunAnswer>('/v1/runs', productShot(instance.projectId));
  const done: string[] = [];
  let current = '';
  await owner.follow(`/v1/runs/${id}/events`, ({ type, stepKey, state }) => {
    if (type !== 'step' || typeof stepKey !== 'string') return;
    if (state === 'SUCCEEDED') done.push(`${stepKey} \u2713`);
    current = state === 'SUCCEEDED' ? '' : stepKey;
    display.detail([...done, current].filter((part) => part !== '').join('  '));
  });
  const run = await owner.get<RunAnswer>(`/v1/runs/${id}`);
  if (run.state !== 'SUCCEEDED') throw new DemoFailure(`the run ended as ${run.state}`);
  return run;
}

async function humanEdit(
  { designer }: People,
  parentAssetId: string,
  display: StepDisplay,
): Promise<{ assetId: string; contributionId: string }> {
  display.detail('downloading');
  const original = await designer.download(`/v1/assets/${parentAssetId}/content`);
  display.detail('drawing');
  const edited = await editLikeADesigner(original);
  display.detail('uploading, signing');
  const form = new FormData();
  form.set('contribution', JSON.stringify(EDIT.contribution));
  form.set('file', new Blob([Uint8Array.from(edited)], { type: 'image/png' }), EDIT.fileName);
  const recorded = await designer.post<{ id: string; asset: { id: string; width: number; height: number } }>(
    `/v1/assets/${parentAssetId}/contributions`,
    form,
  );
  const { id, width, height } = recorded.asset;
  display.detail(`${DESIGNER.displayName}: composite, ${width} x ${height}, signed as a new asset`);
  return { assetId: id, contributionId: recorded.id };
}

/** The owner lacks the role; the designer has it, and is refused because they made the asset. */
async function ownApproval(
  { owner, designer }: People,
  assetId: string,
  display: StepDisplay,
): Promise<void> {
  const path = `/v1/assets/${assetId}/reviews`;
  await owner.postRefused(path, APPROVAL, { status: 403, code: 'forbidden' });
  await designer.postRefused(path, APPROVAL, { status: 409, code: 'four_eyes_required' });
  display.detail('refused twice: 403 forbidden, 409 four_eyes_required');
}

async function approve({ owner, reviewer }: People, assetId: string, display: StepDisplay): Promise<string> {
  const { id } = await reviewer.post<{ id: string }>(`/v1/assets/${assetId}/reviews`, APPROVAL);
  await owner.post(`/v1/assets/${assetId}/release`);
  display.detail(`${REVIEWER.displayName} approved; released for publication`);
  return id;
}
