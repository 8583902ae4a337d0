import { type ValueTransformer } from 'typeorm';

/** bigint comes from the driver as text. For sizes in bytes, which stay far below 2^53. */
export const safeInteger: ValueTransformer = {
  from: (value: string | null) => (value === null ? null : Number(value)),
  to: (value: number | null) => value,
};

/** Money and other amounts that must be exact. */
export const exactInteger: ValueTransformer = {
  from: (value: string | null) => (value === null ? null : BigInt(value)),
  to: (value: bigint | null) => (value === null ? null : value.toString()),
};
