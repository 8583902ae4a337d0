/**
 * The global Math, bound once. The loops of the studio call it a hundred million times; where the program runs inside
 * a vm context (as under the test runner) each look-up of a global name costs far more than the arithmetic.
 */
export const math: Math = globalThis.Math;
