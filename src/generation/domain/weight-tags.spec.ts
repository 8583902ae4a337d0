import { describe, expect, it } from '@jest/globals';
import { namesWeightTag, parameterWithWeightTag } from './weight-tags.js';

describe('marks in a prompt that load weights', () => {
  it.each([
    'x <lora:nc-style:1>',
    '<LoRA:nc-style>',
    'x < lora : nc-style : 0.8 >',
    '<\nlora:x:1>',
    '<lyco:x:1>',
    '<lycoris:x>',
    '<hypernet:x:1>',
    '<hypernetwork:x:1>',
    '<locon:x:1>, <loha:x:1>',
    '<embed:x>',
    '<lora_block:x:1>',
    'a {<lora:x:1>|b}',
    '<{lora|lyco}:x:1>',
    '<l{o|a}ra:x:1>',
    '<lo{ra|ra}:x:1>',
  ])('are seen: %j', (text) => {
    expect(namesWeightTag(text)).toBe(true);
  });

  it.each([
    'a bottle of lora wine',
    'the words "lora: a family of fonts"',
    'a < b, and c: d',
    '<3 love: this',
    '<b>Lorem</b>: a headline',
    '<i>lora</i>',
    '{"size": "<5 m", "parts": {"cap": "red"}}',
    'a <tag> {red|blue}: wine',
    '(bottle:1.2) [soft:hard:0.5]',
  ])('are not seen in %j', (text) => {
    expect(namesWeightTag(text)).toBe(false);
  });

  it('are found in whichever parameter they stand', () => {
    expect(parameterWithWeightTag({ prompt: 'x', negative_prompt: '<lora:x:1>' })).toBe('negative_prompt');
    expect(parameterWithWeightTag({ prompt: 'x', more: { list: ['<lora:x>'] } })).toBe('more');
    expect(parameterWithWeightTag({ prompt: 'x', seed: 5, none: null })).toBeUndefined();
  });
});
