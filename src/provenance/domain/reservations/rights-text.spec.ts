import { describe, expect, it } from '@jest/globals';
import { rightsText } from './rights-properties.js';

describe('words about rights', () => {
  it.each([
    '人工智能训练禁止使用',
    '本作品禁止用於機器學習',
    '人工知能の学習への利用を禁じます',
    '機械学習への使用禁止',
    '生成式模型不得使用',
    '인공지능 학습 금지',
    '기계 학습에 사용할 수 없음',
    '禁止AI學習',
    'AI学習禁止',
    'NoAI',
    'noai',
    'No-AI, please',
    'no_ai',
    'NO AI training',
    '© 2026 X. NoAI!',
    'Keine Nutzung für KI',
    'pas d’IA',
    'No A.I.',
    'not for machine-learning',
  ])('that speak of AI are a condition for a person to read: %s', (text) => {
    expect(rightsText(text)).toEqual([
      { origin: 'iptc', act: 'ai-inference', use: 'constrained', constraint: text },
    ]);
  });

  it.each([
    '© 2026 Ai Weiwei',
    'All rights reserved',
    'Maria Noaillon',
    'KIRA Studios',
    '版权所有',
    'ML2000 camera',
  ])('that do not are none: %s', (text) => {
    expect(rightsText(text)).toEqual([]);
  });
});
