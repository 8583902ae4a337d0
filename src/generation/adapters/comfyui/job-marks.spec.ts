import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { JobMarks } from './job-marks.js';

const marks = new JobMarks(Buffer.alloc(32, 1));
const step = { stepRunId: randomUUID(), endpoint: 'gpu/shot' };
const graph = (inputs: object, more: object = {}) => ({
  '3': { class_type: 'KSampler', inputs: { seed: 7, denoise: 0.5, model: ['4', 0], ...inputs }, ...more },
  '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'a.safetensors' } },
});

describe('the id of a job on a ComfyUI server', () => {
  it('is a UUID that follows from step, place and key, and from nothing less', () => {
    const id = marks.promptIdOf(step);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new JobMarks(Buffer.alloc(32, 1)).promptIdOf({ ...step })).toBe(id);
    const others = [
      marks.promptIdOf({ ...step, stepRunId: randomUUID() }),
      marks.promptIdOf({ ...step, endpoint: 'gpu/other' }),
      new JobMarks(Buffer.alloc(32, 2)).promptIdOf(step),
    ];
    expect(new Set([id, step.stepRunId, ...others]).size).toBe(5);
  });
});

describe('the mark of a job on a ComfyUI server', () => {
  const mark = marks.markOf(step, graph({}));

  it('holds for the graph as the server shows it: in another order, with its own notes, with values of its types', () => {
    const sent = graph({ seed: '7', denoise: 1, text: 12, tiled: true, nothing: null });
    const shown = graph(
      { nothing: null, tiled: 1, text: '12', seed: 7, denoise: 1.0 },
      { is_changed: ['x'], _meta: { title: 'mine' } },
    );
    const reversed = Object.fromEntries(Object.entries(shown).reverse());
    expect(marks.isOurs(step, { graph: reversed, mark: marks.markOf(step, sent) })).toBe(true);
  });

  it.each([
    ['another value', graph({ seed: 8 })],
    ['a fraction more', graph({ denoise: 0.55 })],
    ['another link', graph({ model: ['4', 1] })],
    ['a link instead of a text', graph({ model: '["4",0]' })],
    ['one input more', graph({ cfg: 7 })],
    ['one node more', { ...graph({}), '5': { class_type: 'LoraLoader', inputs: { lora_name: 'x' } } }],
    [
      'another weight',
      { ...graph({}), '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'b' } } },
    ],
    [
      'another kind of node',
      { ...graph({}), '4': { class_type: 'UNETLoader', inputs: { ckpt_name: 'a.safetensors' } } },
    ],
    ['no graph', undefined],
    ['something else', [graph({})]],
    ['a node without a kind', { '3': {} }],
  ])('does not hold for %s', (_name, other) => {
    expect(marks.isOurs(step, { graph: graph({}), mark })).toBe(true);
    expect(marks.isOurs(step, { graph: other, mark })).toBe(false);
  });

  it('does not hold for another step, place or key, and is not missing', () => {
    const seen = { graph: graph({}), mark };
    expect(marks.isOurs({ ...step, stepRunId: randomUUID() }, seen)).toBe(false);
    expect(marks.isOurs({ ...step, endpoint: 'gpu/other' }, seen)).toBe(false);
    expect(new JobMarks(Buffer.alloc(32, 2)).isOurs(step, seen)).toBe(false);
    for (const missing of [undefined, null, '', 5, `${mark}A`, mark.slice(1)])
      expect(marks.isOurs(step, { graph: graph({}), mark: missing })).toBe(false);
  });
});
