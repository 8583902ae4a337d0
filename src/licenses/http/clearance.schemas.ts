import { z } from 'zod';
import { textSchema } from '../../http/safe-text.js';
import { type Lineage } from '../domain/lineage.js';
import { listingIdSchema } from '../domain/listing.js';
import { MAX_MATRIX_CELLS, MAX_MATRIX_PARTS, partsOfLineage } from '../domain/matrix.js';
import { audienceSchema, audiencelessFactsSchema, runFactsSchema } from '../domain/run-facts.js';
import { PURPOSES } from '../domain/terms.js';
import { askedLineageSchema } from './asked-lineage.js';

const alternativeSchema = z.strictObject({
  name: textSchema(80),
  /** Other models in place of those of the pipeline or lineage, by step key. Nothing: as it is. */
  models: z
    .record(z.string().regex(/^[\x20-\x7e]{1,80}$/), listingIdSchema)
    .refine((models) => Object.keys(models).length <= 40, 'at most 40 steps')
    .default({}),
  /** Instead: everything that this alternative descends from. */
  lineage: askedLineageSchema.optional(),
});

const matrixFieldsSchema = z.strictObject({
  /** `name` or `name@version`: what the alternatives change. */
  pipeline: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,59}(@[1-9]\d{0,8})?$/, 'a name such as product-shot, or product-shot@1')
    .optional(),
  /** Instead of a pipeline. */
  lineage: askedLineageSchema.optional(),
  alternatives: z.array(alternativeSchema).min(1).max(MAX_MATRIX_CELLS),
  audiences: z
    .array(z.strictObject({ name: textSchema(80).optional(), countries: audienceSchema }))
    .min(1)
    .max(MAX_MATRIX_CELLS),
  /** In place of the one in `facts`. */
  purposes: z.array(z.enum(PURPOSES)).min(1).max(PURPOSES.length).optional(),
  /** For every cell. Who will see it stands in `audiences`. */
  facts: audiencelessFactsSchema,
});
type MatrixFields = z.infer<typeof matrixFieldsSchema>;

/** Each is looked up with everything that it was made from. */
const MAX_MATRIX_ASSETS = 500;
/** A stored pipeline has at most so many steps. */
const PIPELINE_PARTS = 40;

function partsOf(lineage: Lineage | undefined): number {
  return lineage === undefined ? PIPELINE_PARTS : partsOfLineage(lineage);
}

function* sizeProblems({ alternatives, audiences, purposes = [], lineage }: MatrixFields) {
  const lineages = alternatives.map((alternative) => alternative.lineage ?? lineage);
  const each = lineages.reduce((sum, one) => sum + partsOf(one), 0);
  const parts = each * audiences.length * Math.max(purposes.length, 1);
  if (parts > MAX_MATRIX_PARTS)
    yield `has ${parts} components, inputs, releases and signals in all cells; the limit is ${MAX_MATRIX_PARTS}. Ask in parts.`;
  const assets = new Set(
    lineages.flatMap((one) => one?.inputs.flatMap(({ assetId }) => assetId ?? []) ?? []),
  );
  if (assets.size > MAX_MATRIX_ASSETS)
    yield `names ${assets.size} assets; the limit is ${MAX_MATRIX_ASSETS}. Ask in parts.`;
}

/** What no field shows alone, as pairs of path and message. */
function* matrixProblems(
  matrix: MatrixFields,
): Generator<readonly [path: (string | number)[], message: string]> {
  const { alternatives, audiences, purposes = [], pipeline, lineage } = matrix;
  const sizes = [alternatives.length, audiences.length, Math.max(purposes.length, 1)];
  const cells = sizes.reduce((product, size) => product * size, 1);
  if (cells > MAX_MATRIX_CELLS) {
    const how = `${sizes[0]} alternatives x ${sizes[1]} audiences x ${sizes[2]} purposes`;
    yield [[], `has ${cells} cells (${how}); the limit is ${MAX_MATRIX_CELLS}. Ask in parts.`];
  }
  for (const problem of sizeProblems(matrix)) yield [[], problem];
  if (pipeline !== undefined && lineage !== undefined)
    yield [['lineage'], 'either a pipeline or a lineage, not both'];
  if (isRepeated(alternatives.map(({ name }) => name))) yield [['alternatives'], 'must have different names'];
  if (isRepeated(audiences.map(nameOfAudience))) yield [['audiences'], 'must have different names'];
  if (isRepeated(purposes)) yield [['purposes'], 'must name each purpose once'];
  const hasBase = pipeline !== undefined || lineage !== undefined;
  for (const [at, alternative] of alternatives.entries()) {
    const replaces = Object.keys(alternative.models).length > 0;
    if (alternative.lineage !== undefined && replaces)
      yield [['alternatives', at, 'models'], 'either models or a lineage, not both'];
    if (alternative.lineage === undefined && !hasBase)
      yield [['alternatives', at], 'needs a lineage, or a pipeline or lineage of the matrix to change'];
  }
}

const matrixSchema = matrixFieldsSchema.superRefine((matrix, context) => {
  for (const [path, message] of matrixProblems(matrix)) context.addIssue({ code: 'custom', path, message });
});
export type MatrixBody = z.infer<typeof matrixSchema>;

/** One question, or a matrix of them. */
export const askClearanceSchema = z
  .strictObject({
    lineage: askedLineageSchema.optional(),
    facts: runFactsSchema.optional(),
    matrix: matrixSchema.optional(),
    /** Where the work would belong: the policies of that project and use case are asked, too. */
    projectId: z
      .string()
      .regex(/^prj_[0-9a-f]{32}$/)
      .optional(),
    useCase: z.string().min(1).max(100).optional(),
  })
  .superRefine(({ lineage, facts, matrix, projectId, useCase }, context) => {
    if (useCase !== undefined && projectId === undefined)
      context.addIssue({
        code: 'custom',
        path: ['useCase'],
        message: 'needs the projectId to which it belongs',
      });
    for (const [name, value] of Object.entries({ lineage, facts })) {
      const isWrong = (value === undefined) === (matrix === undefined);
      const message = matrix === undefined ? 'is required' : 'stands inside of matrix';
      if (isWrong) context.addIssue({ code: 'custom', path: [name], message });
    }
  })
  .meta({ id: 'AskClearance' });
export type AskClearanceBody = z.infer<typeof askClearanceSchema>;

export function nameOfAudience({ name, countries }: MatrixBody['audiences'][number]): string {
  if (name !== undefined) return name;
  return countries === 'worldwide' ? countries : [...countries].sort().join(' ');
}

function isRepeated(names: readonly string[]): boolean {
  return new Set(names).size !== names.length;
}
