/**
 * What examples/wait imports: bench.wait(milliseconds), which blocks its thread as a call to a
 * driver without promises does. With `"execution": "thread"` only the instance's own thread waits.
 */
const cell = new Int32Array(new SharedArrayBuffer(4));

export const bench = {
  wait: (_context, ms) => {
    Atomics.wait(cell, 0, 0, Number(ms));
  },
};
