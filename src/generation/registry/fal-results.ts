import { z } from 'zod';
import { type FalResultShape, readShape } from '../gateway/domain/fal-result-shape.js';
import seed from './fal-results.json' with { type: 'json' };

const schema = z.strictObject({ source: z.string(), shapes: z.record(z.string(), z.array(z.string())) });

/** What models of fal answer with, by their names, as the types of fal's own client say (bin/build-fal-results.js). */
export class FalResults {
  private readonly byEndpoint: ReadonlyMap<string, FalResultShape>;

  constructor() {
    const { shapes } = schema.parse(seed);
    this.byEndpoint = new Map(
      Object.entries(shapes).flatMap(([text, endpoints]) => {
        const shape = readShape(text);
        if (shape === undefined) throw new Error(`no shape of a result: ${text}`);
        return endpoints.map((endpoint) => [endpoint, shape] as const);
      }),
    );
  }

  find(endpoint: string): FalResultShape | undefined {
    return this.byEndpoint.get(endpoint);
  }
}
