/**
 * What the items of a manifest are called: the plugin itself is `main`, the others what their
 * importers know them by.
 */

interface Unnamed {
  readonly name: string | null;
  readonly hash: string | null;
}

/**
 * An only item is `main` whatever its name, and so is the last one where none has that name. Others
 * without a name go by their hash, or by their index where the manifest gives none, as in the
 * JavaScript SDK. One name twice is possible still: the caller looks.
 */
export function itemNames(items: readonly Unnamed[]): readonly string[] {
  const hasMain = items.length > 1 && items.some(({ name }) => name === 'main');
  return items.map(({ name, hash }, index) =>
    index === items.length - 1 && !hasMain ? 'main' : (name ?? hash ?? String(index)),
  );
}
