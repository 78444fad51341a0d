/** Figures over rounds. */
import type { Spread } from './report.ts';

/** NaN of nothing. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** null of nothing. */
export function spreadOf(numbers: readonly number[]): Spread | null {
  if (numbers.length === 0) return null;
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) };
}

/** A new order each round, so that no contender always follows the same one. */
export function shuffled<T>(items: readonly T[], random: () => number = Math.random): T[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

/** Whether each median lies outside of what the other run saw, on the worse side. */
export function isWorse(before: Spread, after: Spread, better: 'higher' | 'lower'): boolean {
  return better === 'higher'
    ? after.median < before.min && before.median > after.max
    : after.median > before.max && before.median < after.min;
}
