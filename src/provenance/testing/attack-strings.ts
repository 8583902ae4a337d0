import { createFreeAuthority, type FreeAuthority, signFreely } from './free-signer.js';
import { type MediaFile } from './signing-workshop.js';

/** What strangers write into the fields that people read. */
export const ATTACKS = [
  '<script>alert(document.domain)</script>',
  '<img src=x onerror=alert(1)>',
  '{{constructor.constructor("alert(1)")()}} ${7*7} <%= 7*7 %> #{7*7}',
  '\u001b[2J\u001b[31mVALID\u001b]0;owned\u0007',
  'safe\u202egnp.exe\u2066\u2069 \u200b\u00ad',
  'line\r\nVALID  forged line\u2028and\u2029more {"level":60,"msg":"forged"}',
  '=HYPERLINK("https://evil.example","x")',
  `' OR 1=1; DROP TABLE asset; --`,
  'nul\u0000after',
  '👩‍🎨👨‍👩‍👧‍👦 مرحبا שלום \ud83d\ude00',
  '"><svg/onload=alert(1)><a href="javascript:alert(1)">',
  'A'.repeat(10_000),
] as const;

/** Control characters, and those that turn text around, hide it or break out of its line. */
export const DANGEROUS = /[^\P{Cc}\t\n]|[\u00ad\u200b\u202a-\u202e\u2028\u2029\u2066-\u2069]/u;

/** A certificate whose names are attacks; X.509 bounds neither length nor characters in practice. */
export function hostileAuthority(): Promise<FreeAuthority> {
  return createFreeAuthority({
    subject: [{ O: [ATTACKS[0]] }, { OU: [ATTACKS[5]] }, { CN: [`${ATTACKS[4]}${ATTACKS[10]}`] }],
  });
}

/** A file with an attack in every field that is text: title, author, actions, assertions, ingredients, signer. */
export async function hostileFile(picture: MediaFile, destinationPath: string): Promise<MediaFile> {
  return signFreely(picture, destinationPath, await hostileAuthority(), {
    title: ATTACKS.join(' | '),
    claim_generator_info: [{ name: ATTACKS[3], version: ATTACKS[1] }],
    assertions: [
      {
        label: 'c2pa.actions.v2',
        data: {
          actions: ATTACKS.map((text) => ({
            action: 'c2pa.edited',
            description: text,
            softwareAgent: { name: text },
            digitalSourceType: text,
          })),
        },
      },
      { label: 'com.evil.<b>x<b>', data: { text: ATTACKS } },
      {
        label: 'stds.schema-org.CreativeWork',
        kind: 'Json',
        data: {
          '@context': 'https://schema.org',
          '@type': 'CreativeWork',
          author: ATTACKS.map((name) => ({ '@type': 'Person', name })),
        },
      },
      {
        label: 'cawg.training-mining',
        data: { entries: { [ATTACKS[3]]: { use: 'constrained', constraint_info: ATTACKS[5] } } },
      },
      {
        label: 'c2pa.ai-disclosure',
        data: { modelType: 'c2pa.types.model', modelName: ATTACKS[3], modelIdentifier: ATTACKS[4] },
      },
    ],
  });
}
