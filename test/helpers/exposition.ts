/** Reads samples out of Prometheus' text format, for assertions. */

export interface Sample {
  /** Name and labels as written. */
  readonly series: string;
  readonly value: number;
}

export function parseSamples(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const space = line.lastIndexOf(' ');
      return { series: line.slice(0, space), value: Number(line.slice(space + 1)) };
    });
}

/** Sum over all series of a metric whose labels contain a text. */
export function sumOf(samples: readonly Sample[], metric: string, label = ''): number {
  return samples
    .filter(({ series }) => series.startsWith(`${metric}{`) && series.includes(label))
    .reduce((sum, { value }) => sum + value, 0);
}
