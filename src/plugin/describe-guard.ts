/** For `plugind check`: what holds each module of a plugin to its deadline and its memory. */
import type { GuardedFile } from './link-plan.ts';
import type { DefinitionRow } from './manifest/describe-definition.ts';

export function describeGuard(files: readonly GuardedFile[]): readonly DefinitionRow[] {
  return files.flatMap(({ name, guarded }): DefinitionRow[] => {
    if (guarded.unguarded === null) return [];
    const { feature, proposal } = guarded.unguarded;
    return [
      {
        field: `guard of ${name}`,
        value: `none, it uses ${feature} (${proposal})`,
        setBy: 'configuration, by execution "thread"',
        enforcedBy:
          'the end of its thread at the deadline and maxima for its memory, a part of memory.max_pages, and for its tables; objects are bounded by the heap of its thread',
      },
    ];
  });
}
