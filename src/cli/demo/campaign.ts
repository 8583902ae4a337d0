/** What the people of the demo ask for and say. */

export const DESIGNER = { displayName: 'Dana Ferreira', roles: ['creator', 'reviewer'] } as const;
export const REVIEWER = { displayName: 'Ravi Iyer', roles: ['reviewer'] } as const;

const FACTS = {
  purpose: 'commercial',
  audienceCountries: ['DE', 'FR', 'US'],
  organizationRevenueUsd: 48_000_000,
  organizationRevenueWithAffiliatesUsd: 48_000_000,
  humanReviewPlanned: 'yes',
  labelPlanned: 'yes',
  editsPlanned: 'yes',
} as const;

const INPUTS = {
  prompt: 'A glass bottle of almond oil on a bright table, soft morning light, calm and premium',
  product: 'bottle',
  brandName: 'Almond & Sea',
  palette: 'ocean',
  backdrop: 'studio',
  width: 1024,
  height: 1024,
  seed: 1,
} as const;

export function productShot(projectId: string): object {
  return {
    projectId,
    useCase: 'hero-image',
    pipeline: 'product-shot',
    inputs: { ...INPUTS, color: '#9a4a35' },
    facts: FACTS,
  };
}

/** The same picture by a model whose license excludes the European Union, shown in Germany. */
export function forbiddenShot(projectId: string): object {
  return {
    projectId,
    useCase: 'hero-image',
    pipeline: 'product-shot',
    inputs: { prompt: INPUTS.prompt, model: 'hunyuan-image-3.0@fal' },
    facts: { ...FACTS, audienceCountries: ['DE'] },
  };
}

export const EDIT = {
  fileName: 'almond-and-sea-feed-4x5.png',
  contribution: {
    actionType: 'COMPOSITE',
    basis: 'modification',
    capture: 'declared_at_time',
    tool: { name: 'Demo drawing program', version: '1.0' },
    statement:
      'I cut the bottle loose from its old floor, set it on a plinth before an arch that I drew, chose the warm palette ' +
      'and the light from the left, painted the shadows, and left room for the headline in portrait format.',
  },
} as const;

export const APPROVAL = {
  decision: 'approve',
  comment:
    'Matches the brief: the label is legible, the product is shown as it is, and the palette is that of the campaign.',
} as const;
