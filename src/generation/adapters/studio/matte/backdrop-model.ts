import type { LabImage } from './lab-image.js';
import { math } from '../math.js';

const TERMS = 6;

/**
 * What the border says about the backdrop everywhere: a quadratic surface per OKLab channel, fitted by least squares.
 * It knows nothing of a spot or a shadow in the middle, so it only bounds how far the backdrop may plausibly go.
 */
export class BackdropModel {
  private readonly coefficients: readonly Float64Array[];

  constructor(
    private readonly image: LabImage,
    border: readonly number[],
  ) {
    const normal = new Float64Array(TERMS * TERMS);
    const right = [new Float64Array(TERMS), new Float64Array(TERMS), new Float64Array(TERMS)];
    for (const at of border) {
      const basis = this.basis(at);
      for (let i = 0; i < TERMS; i++) {
        for (let j = 0; j < TERMS; j++) add(normal, i * TERMS + j, (basis[i] ?? 0) * (basis[j] ?? 0));
        right.forEach((sums, c) => add(sums, i, (basis[i] ?? 0) * (image.lab[at * 3 + c] ?? 0)));
      }
    }
    // A little ridge keeps the system solvable when the border is a line or two.
    for (let i = 0; i < TERMS; i++) add(normal, i * TERMS + i, 1e-6 * (border.length + 1));
    this.coefficients = right.map((sums) => solve(normal, sums));
  }

  /** Writes L, a, b. */
  predict(out: Float64Array, at: number): void {
    const basis = this.basis(at);
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (let i = 0; i < TERMS; i++) sum += (this.coefficients[c]?.[i] ?? 0) * (basis[i] ?? 0);
      out[c] = sum;
    }
  }

  private basis(at: number): readonly number[] {
    const u = ((at % this.image.width) / this.image.width) * 2 - 1;
    const v = (math.floor(at / this.image.width) / this.image.height) * 2 - 1;
    return [1, u, v, u * u, u * v, v * v];
  }
}

function add(target: Float64Array, index: number, value: number): void {
  target[index] = (target[index] ?? 0) + value;
}

/** Gaussian elimination; a symmetric positive definite matrix needs no pivoting. */
function solve(matrix: Float64Array, right: Float64Array): Float64Array {
  const a = Float64Array.from(matrix);
  const b = Float64Array.from(right);
  const at = (row: number, column: number) => a[row * TERMS + column] ?? 0;
  for (let pivot = 0; pivot < TERMS; pivot++) {
    for (let row = pivot + 1; row < TERMS; row++) {
      const factor = at(row, pivot) / at(pivot, pivot);
      for (let column = pivot; column < TERMS; column++)
        add(a, row * TERMS + column, -factor * at(pivot, column));
      add(b, row, -factor * (b[pivot] ?? 0));
    }
  }
  for (let row = TERMS - 1; row >= 0; row--) {
    let sum = b[row] ?? 0;
    for (let column = row + 1; column < TERMS; column++) sum -= at(row, column) * (b[column] ?? 0);
    b[row] = sum / at(row, row);
  }
  return b;
}
