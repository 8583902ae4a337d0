import { z } from 'zod';

/** Where in a file a reservation was found. */
export const SIGNAL_ORIGINS = [
  'cawg.training-mining',
  'c2pa.training-mining',
  'plus.data-mining',
  'tdmrep',
  /** Words for people in the rights fields of IPTC and XMP. */
  'iptc',
  /** The same in EXIF: copyright and comments. */
  'exif',
] as const;

/** Where in a file reservations can stand: its manifests, its XMP, its IPTC-IIM records, its EXIF. */
export const SIGNAL_PLACES = ['c2pa', 'xmp', 'iptc-iim', 'exif'] as const;
export type SignalPlace = (typeof SIGNAL_PLACES)[number];

/** The acts that CAWG Training and Data Mining 1.1 tells apart; PLUS and IPTC values are mapped to them. */
export const SIGNAL_ACTS = ['ai-inference', 'generative-ai-training', 'ai-training', 'data-mining'] as const;
export type SignalAct = (typeof SIGNAL_ACTS)[number];

/**
 * A reservation that the program itself read in a file. It is not a declaration of the sender: what the file reserves
 * holds against whatever the sender says of it.
 */
export const fileSignalSchema = z.strictObject({
  origin: z.enum(SIGNAL_ORIGINS),
  act: z.enum(SIGNAL_ACTS),
  use: z.enum(['allowed', 'notAllowed', 'constrained']),
  /** The condition of `constrained`; without one it counts as `notAllowed` (CAWG training-mining, section on `use`). */
  constraint: z
    .string()
    .regex(/^\P{C}{1,500}$/u, 'no control characters')
    .nullable()
    .default(null),
  /** It stands in a manifest that does not validate. It holds all the same: the stricter reading is the safe one. */
  manifestBroken: z.literal(true).exactOptional(),
});
export type FileSignal = z.infer<typeof fileSignalSchema>;
