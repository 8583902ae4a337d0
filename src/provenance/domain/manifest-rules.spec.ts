import { describe, expect, it } from '@jest/globals';
import { type ManifestPlan, type PlannedAction, type PlannedIngredient } from './manifest-plan.js';
import { actionsAfterOpening, checkManifestPlan } from './manifest-rules.js';

const action = (name: string, digitalSourceType?: PlannedAction['digitalSourceType']): PlannedAction => ({
  action: name,
  digitalSourceType,
  when: '2026-11-22T10:00:00Z',
  softwareAgent: { name: 'studio', version: '1' },
  description: 'Done',
});

const ingredient = (relationship: PlannedIngredient['relationship']): PlannedIngredient => ({
  path: '/tmp/x.png',
  mediaType: 'image/png',
  title: 'x',
  relationship,
  digitalSourceType: undefined,
});

const created = action('c2pa.created', 'trainedAlgorithmicMedia');
const edited = action('c2pa.edited', 'humanEdits');

const plan = (changes: Partial<ManifestPlan>): ManifestPlan => ({
  title: 'x',
  actions: [created],
  ingredients: [],
  allActionsIncluded: true,
  assertions: [],
  identities: [],
  embeddedMetadata: undefined,
  thumbnail: false,
  ...changes,
});

const assertion = (label: string) => ({ label, data: {}, kind: 'created' }) as const;

describe('checkManifestPlan', () => {
  it.each([
    ['a generated picture', plan({})],
    ['an edit of a parent', plan({ actions: [edited], ingredients: [ingredient('parentOf')] })],
    ['an action exempt from the source type', plan({ actions: [created, action('c2pa.transcoded')] })],
    ['inputs', plan({ ingredients: [ingredient('inputTo'), ingredient('inputTo')] })],
    [
      'components',
      plan({ actions: [created, action('c2pa.placed')], ingredients: [ingredient('componentOf')] }),
    ],
    [
      'own and CAWG assertions',
      plan({ assertions: ['com.colophon.x', 'cawg.training-mining'].map(assertion) }),
    ],
    ['the AI disclosure', plan({ assertions: [assertion('c2pa.ai-disclosure')] })],
  ])('accepts %s', (_what, allowed) => {
    expect(() => {
      checkManifestPlan(allowed);
    }).not.toThrow();
  });

  it.each([
    ['no action', plan({ actions: [] })],
    ['an edit of nothing', plan({ actions: [edited] })],
    ['a creation that has a parent', plan({ ingredients: [ingredient('parentOf')] })],
    ['two creations', plan({ actions: [created, created] })],
    ['a creation that comes late', plan({ actions: [edited, created] })],
    ['a creation of unknown kind', plan({ actions: [action('c2pa.created')] })],
    ['an edit of unknown kind', plan({ actions: [created, action('c2pa.edited')] })],
    ['an opening written by the caller', plan({ actions: [created, action('c2pa.opened')] })],
    ['a deprecated action', plan({ actions: [created, action('c2pa.color_adjustments', 'humanEdits')] })],
    ['an invented action', plan({ actions: [created, action('com.example.magic', 'humanEdits')] })],
    [
      'two parents',
      plan({ actions: [edited], ingredients: [ingredient('parentOf'), ingredient('parentOf')] }),
    ],
    ['a placed nothing', plan({ actions: [created, action('c2pa.placed')] })],
    ['a time without zone', plan({ actions: [{ ...created, when: '2026-11-22T10:00:00' }] })],
    ['no title', plan({ title: '' })],
    ['101 ingredients', plan({ ingredients: Array.from({ length: 101 }, () => ingredient('inputTo')) })],
    ...[
      'c2pa.actions.v2',
      'c2pa.actions',
      'c2pa.ingredient.v3',
      'c2pa.hash.data',
      'c2pa.hash.data__1',
      'c2pa.thumbnail.claim',
      'c2pa.soft-binding',
      'clearance',
      '../evil.label',
      'com.x/../y',
      '',
    ].map((label) => [`the assertion label "${label}"`, plan({ assertions: [assertion(label)] })] as const),
  ])('refuses %s', (_what, forbidden) => {
    expect(() => {
      checkManifestPlan(forbidden);
    }).toThrow(expect.objectContaining({ code: 'internal' }));
  });
});

describe('actionsAfterOpening', () => {
  const generated = plan({ actions: [created, edited] });
  const names = (...args: Parameters<typeof actionsAfterOpening>) =>
    actionsAfterOpening(...args).map((each) => [each.action, each.digitalSourceType]);

  it('leaves the plan as it is where nothing arrived signed', () => {
    expect(actionsAfterOpening(generated, 'nothing', 'captured_from_provider')).toEqual(generated.actions);
  });

  it('keeps what we know of captured bytes that arrived signed', () => {
    expect(names(generated, 'source_manifest', 'captured_from_provider')).toEqual([
      ['c2pa.edited', 'trainedAlgorithmicMedia'],
      ['c2pa.edited', 'humanEdits'],
    ]);
  });

  it('does not vouch for what an uploader says of bytes that arrived signed', () => {
    expect(names(generated, 'source_manifest', 'received_with_declaration')).toEqual([
      ['c2pa.edited', 'humanEdits'],
    ]);
  });
});
