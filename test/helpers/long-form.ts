/**
 * Tests under load have a short form, for every run, and a long one (PLUGIND_TEST_LONG=1), which
 * gives the figures that the README quotes.
 */
export const IS_LONG: boolean = process.env.PLUGIND_TEST_LONG === '1';

/** A count or time of the short form, or that of the long one. */
export function shortOrLong(short: number, long: number): number {
  return IS_LONG ? long : short;
}
