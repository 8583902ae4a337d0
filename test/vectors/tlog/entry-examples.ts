import type { EntryInput } from '../../../src/audit/core/entry.js';
import type { EntryType } from '../../../src/audit/core/entry-types.js';

const hash = (digit: string): string => digit.repeat(64);
const id = (prefix: string): string => `${prefix}_019abc00000070008000000000000001`;
const [org, prj, run, stp, ast, clr] = ['org', 'prj', 'run', 'stp', 'ast', 'clr'].map(id) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const at = '2026-11-22T10:00:00.000Z';
const actor = { kind: 'api_key', id: 'key_8f2c' } as const;
const common = { at, actor };
const runSubject = { kind: 'run', id: run } as const;
const stepSubject = { kind: 'step_run', id: stp } as const;
const assetSubject = { kind: 'asset', id: ast } as const;
const step = { runId: run, stepKey: 'generate' };

export const signedAsset = {
  ...common,
  type: 'asset.signed',
  subject: assetSubject,
  data: {
    runId: run,
    stepRunId: stp,
    originalSha256: hash('a'),
    sha256: hash('b'),
    sizeBytes: 123_456,
    mediaType: 'image/png',
    claimSha256: hash('c'),
    manifestSha256: hash('d'),
    manifestLabel: 'urn:c2pa:019abc00-0000-7000-8000-000000000001',
    parents: [{ assetId: id('ast'), relationship: 'parentOf' }],
    digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia',
  },
  sealed: { prompt: 'q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80' },
} as const satisfies EntryInput;

/** One valid entry of every type. */
export const exampleEntries: { readonly [T in EntryType]: Extract<EntryInput, { type: T }> } = {
  'organization.created': {
    ...common,
    type: 'organization.created',
    actor: { kind: 'system', id: 'bootstrap' },
    subject: { kind: 'organization', id: org },
    data: { origin: `media.example/logs/${org}`, vkey: `media.example/logs/${org}+00000000+AQ==` },
  },
  'principal.created': {
    ...common,
    type: 'principal.created',
    subject: { kind: 'principal', id: id('prn') },
    data: { roles: ['creator', 'reviewer'] },
  },
  'api_key.created': {
    ...common,
    type: 'api_key.created',
    subject: { kind: 'api_key', id: 'key_8f2c' },
    data: { keyId: 'key_8f2c', mode: 'live', principalId: id('prn') },
  },
  'api_key.revoked': {
    ...common,
    type: 'api_key.revoked',
    subject: { kind: 'api_key', id: 'key_8f2c' },
    data: { keyId: 'key_8f2c' },
  },
  'budget.set': {
    ...common,
    type: 'budget.set',
    subject: { kind: 'organization', id: org },
    data: { limitMicroUsd: '50000000' },
  },
  'project.created': {
    ...common,
    type: 'project.created',
    subject: { kind: 'project', id: prj },
    data: { name: 'Frühling 2027 – Schuhe' },
  },
  'use_case.created': {
    ...common,
    type: 'use_case.created',
    subject: { kind: 'use_case', id: id('use') },
    data: { projectId: prj, name: 'hero-image' },
  },
  'pipeline.created': {
    ...common,
    type: 'pipeline.created',
    subject: { kind: 'pipeline', id: id('pip') },
    data: { name: 'product-shot', version: 1, definitionSha256: hash('e') },
  },
  'clearance.decided': {
    ...common,
    type: 'clearance.decided',
    subject: { kind: 'clearance', id: clr },
    data: {
      decision: 'deny',
      engineVersion: '1.0.0',
      termsSha256: hash('1'),
      inputSha256: hash('2'),
      findings: [{ ruleId: 'territory', severity: 'deny', listingId: 'flux-1-dev@fal' }],
    },
  },
  'policy.changed': {
    ...common,
    type: 'policy.changed',
    subject: { kind: 'policy', id: id('plc') },
    data: {
      kind: 'cedar',
      scope: 'organization',
      scopeId: org,
      version: 2,
      sha256: hash('a'),
      items: 3,
      previousSha256: hash('b'),
    },
  },
  'waiver.approved': {
    ...common,
    type: 'waiver.approved',
    subject: { kind: 'waiver', id: 'wvr_1' },
    data: { clearanceId: clr, reason: 'license_bought', expiresAt: '2027-01-01T00:00:00.000Z' },
  },
  'listing.recorded': {
    ...common,
    type: 'listing.recorded',
    subject: { kind: 'listing', id: id('lst') },
    data: {
      listingId: 'brand-lora.9f86d081884c@self-hosted',
      sha256: hash('a'),
      source: 'import',
      licenseKey: 'Apache-2.0',
      licenseTextSha256: hash('b'),
      importId: id('imp'),
    },
  },
  'curation.recorded': {
    ...common,
    type: 'curation.recorded',
    subject: { kind: 'curation', id: id('cur') },
    data: {
      listingId: 'flux-1-dev@fal',
      fact: 'term:commercial-use-of-outputs',
      correction: 'term',
      sha256: hash('a'),
      dateRead: '2026-11-22',
      textSha256: hash('b'),
      clearances: 1,
      clearanceIds: [clr],
      waivers: 0,
      waiverIds: [],
    },
    sealed: { reason: 'q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80' },
  },
  'license_text.recorded': {
    ...common,
    type: 'license_text.recorded',
    subject: { kind: 'license_text', id: id('ltx') },
    data: {
      licenseKey: 'LicenseRef-FLUX.1-dev-NC-1.1.1',
      sha256: hash('b'),
      change: 'changed',
      readOn: '2026-11-22',
      inForceSince: '2026-11-20',
      termsReadFromThis: false,
    },
  },
  'license_text.changed': {
    ...common,
    type: 'license_text.changed',
    subject: { kind: 'license_text', id: id('ltx') },
    data: {
      licenseKey: 'LicenseRef-FLUX.1-dev-NC-1.1.1',
      sha256: hash('b'),
      previousSha256: hash('a'),
      listings: 1,
      listingIds: ['flux-1-dev@fal'],
      clearances: 1,
      clearanceIds: [clr],
      waivers: 1,
      waiverIds: [id('wvr')],
    },
  },
  'run.accepted': {
    ...common,
    type: 'run.accepted',
    subject: runSubject,
    data: {
      pipeline: 'product-shot',
      pipelineVersion: 1,
      mode: 'live',
      projectId: prj,
      useCase: 'hero-image',
      clearanceId: clr,
      steps: [{ stepRunId: stp, key: 'generate', provider: 'fal', listingId: 'flux-1-dev@fal' }],
      reservedMicroUsd: '25000',
    },
  },
  'step.submitted': {
    ...common,
    type: 'step.submitted',
    subject: stepSubject,
    data: { ...step, provider: 'fal', listingId: 'flux-1-dev@fal', requestSha256: hash('3') },
  },
  'step.outcome_unknown': {
    ...common,
    type: 'step.outcome_unknown',
    subject: stepSubject,
    data: { ...step, provider: 'fal' },
  },
  'step.reconciled': {
    ...common,
    type: 'step.reconciled',
    subject: stepSubject,
    data: { ...step, outcome: 'succeeded' },
  },
  'step.failed': {
    ...common,
    type: 'step.failed',
    subject: stepSubject,
    data: { ...step, provider: 'fal', code: 'upstream_error' },
  },
  'step.settled': {
    ...common,
    type: 'step.settled',
    subject: stepSubject,
    data: { ...step, costMicroUsd: '25000', basis: 'price_book' },
  },
  'run.cancel_requested': {
    ...common,
    type: 'run.cancel_requested',
    subject: runSubject,
    data: { state: 'RUNNING' },
  },
  'run.finished': { ...common, type: 'run.finished', subject: runSubject, data: { state: 'succeeded' } },
  'asset.received': {
    ...common,
    type: 'asset.received',
    subject: assetSubject,
    data: { sha256: hash('a'), sizeBytes: 1, mediaType: 'image/jpeg', rightsBasis: 'owned' },
  },
  'asset.signed': signedAsset,
  'contribution.recorded': {
    ...common,
    type: 'contribution.recorded',
    subject: { kind: 'contribution', id: id('ctb') },
    data: {
      assetId: ast,
      parentAssetId: id('ast'),
      actionType: 'c2pa.color_adjustments',
      basis: 'declared',
      capture: 'upload',
    },
  },
  'review.decided': {
    ...common,
    type: 'review.decided',
    subject: { kind: 'review', id: id('rvw') },
    data: { assetId: ast, decision: 'approved', sha256: hash('b') },
  },
  'asset.released': {
    ...common,
    type: 'asset.released',
    subject: assetSubject,
    data: { assetId: ast, sha256: hash('b') },
  },
  'asset.read': {
    ...common,
    type: 'asset.read',
    subject: assetSubject,
    data: { assetId: ast, sha256: hash('b'), what: 'content', mode: 'live' },
  },
  'report.requested': {
    ...common,
    type: 'report.requested',
    subject: { kind: 'report', id: id('rep') },
    data: { kind: 'asset', format: 'pdf', subjectId: ast },
  },
  'report.read': {
    ...common,
    type: 'report.read',
    subject: { kind: 'report', id: id('rep') },
    data: { kind: 'asset', format: 'pdf', subjectId: ast, sha256: hash('f') },
  },
  'opening.read': {
    ...common,
    type: 'opening.read',
    subject: { kind: 'legal_hold', id: id('lhd') },
    data: { entryIds: [id('ent')] },
  },
  'report.created': {
    ...common,
    type: 'report.created',
    subject: { kind: 'report', id: id('rep') },
    data: { kind: 'asset', format: 'pdf', subjectId: ast, sha256: hash('f') },
  },
  'opening.erased': {
    ...common,
    type: 'opening.erased',
    subject: { kind: 'principal', id: id('prn') },
    data: {
      subjectId: id('prn'),
      reason: 'data_subject_request',
      openings: 2,
      entryIds: [id('ent')],
      part: 1,
      parts: 1,
    },
  },
  'log.exported': {
    ...common,
    type: 'log.exported',
    subject: { kind: 'organization', id: id('org') },
    data: { format: 'csv', size: 1000, filter: { type: 'asset.released', from: '2026-11-01T00:00:00.000Z' } },
  },
  'log.checked': {
    ...common,
    type: 'log.checked',
    subject: { kind: 'organization', id: id('org') },
    data: { outcome: 'clean', size: 1000, rows: 1002, findings: 0 },
  },
  'log.key_added': {
    ...common,
    type: 'log.key_added',
    subject: { kind: 'organization', id: org },
    data: { vkey: `media.example/logs/${org}+00000001+AQ==` },
  },
  'log.key_retired': {
    ...common,
    type: 'log.key_retired',
    subject: { kind: 'organization', id: org },
    data: { vkey: `media.example/logs/${org}+00000000+AQ==` },
  },
  'legal_hold.placed': {
    ...common,
    type: 'legal_hold.placed',
    subject: { kind: 'legal_hold', id: id('lhd') },
    data: { scopeKind: 'asset', scopeId: ast },
  },
  'legal_hold.lifted': {
    ...common,
    type: 'legal_hold.lifted',
    subject: { kind: 'legal_hold', id: id('lhd') },
    data: { scopeKind: 'organization' },
  },
};
