import { type NamedPipeline } from '../../domain/builtin-pipelines.js';
import { type Offering } from '../../domain/offering.js';
import { type RunValue } from '../../domain/definition-words.js';
import { type MediaKind } from '../../domain/media-kind.js';
import { type Literal, type PipelineDefinition } from '../../domain/pipeline-definition.js';
import { type GatewayCall, pipelineNameOf } from './gateway-call.js';

/** Raised when a call becomes another pipeline than before. */
const PIPELINE_VERSION = 1;

/**
 * The pipeline of one call: a step for each file that is asked for, all alike and next to each other. It holds names of
 * inputs and no value: a definition is stored in clear, and prompts are sealed.
 *
 * @param parameters what the steps are given, by name; the values are inputs of the run
 * @param files names under which the steps take files, with their kinds; inputs of the run as well
 * @param variant literal parameters by which the steps differ, by ordinal; absent: they do not
 */
export function callPipeline(
  call: Pick<GatewayCall, 'vendor' | 'operation' | 'count'>,
  { listingId, endpoint }: Pick<Offering, 'listingId' | 'endpoint'>,
  parameters: Readonly<Record<string, RunValue>>,
  files: Readonly<Record<string, MediaKind>>,
  variant: (ordinal: number) => Readonly<Record<string, Literal>> = () => ({}),
): Pick<NamedPipeline, 'name' | 'version' | 'definition'> {
  const inputs = Object.fromEntries(
    Object.keys(parameters).map((name) => [name, { input: name, optional: false }] as const),
  );
  const named = Object.entries(files);
  const images = named.flatMap(([name, kind]) =>
    kind === 'image' ? [[name, { input: name }] as const] : [],
  );
  const media = named.flatMap(([name, kind]) =>
    kind === 'image' ? [] : [[name, { kind, input: name }] as const],
  );
  const definition: PipelineDefinition = {
    steps: Array.from({ length: call.count }, (_, ordinal) => ({
      key: call.count === 1 ? call.operation : `${call.operation}-${ordinal + 1}`,
      operation: call.operation,
      model: listingId,
      endpoint,
      parameters: { ...inputs, ...variant(ordinal) },
      images: Object.fromEntries(images),
      ...(media.length === 0 ? {} : { media: Object.fromEntries(media) }),
    })),
  };
  return { name: pipelineNameOf(call.vendor), version: PIPELINE_VERSION, definition };
}
