/** What a PromQL expression is made of, by its syntax tree. */
import { parser } from '@prometheus-io/lezer-promql';

type Node = ReturnType<typeof parser.parse>['topNode'];

export interface Selector {
  /** The metric, or every one that `__name__` names. */
  readonly metrics: readonly string[];
  /** As written, without spaces: `job=~"$job"`. */
  readonly matchers: readonly string[];
}

export interface Expression {
  readonly selectors: readonly Selector[];
  /** The functions whose argument is a range, with the range as written. */
  readonly ranges: readonly { readonly function: string; readonly range: string }[];
  /** Metrics ending in `_total` that no rate, irate or increase takes. */
  readonly bareCounters: readonly string[];
}

/** @throws Error that names the place of the first mistake. */
export function parsePromql(text: string): Expression {
  const tree = parseTree(text);
  const selectors: Selector[] = [];
  const ranges: Expression['ranges'][number][] = [];
  const bareCounters: string[] = [];
  const slice = ({ from, to }: Node): string => text.slice(from, to);
  for (const node of descendants(tree)) {
    if (node.name === 'VectorSelector') {
      const selector = readSelector(node, slice);
      selectors.push(selector);
      const range = node.parent?.name === 'MatrixSelector' ? node.parent : null;
      const call = functionName(range, slice);
      const counters = selector.metrics.filter((name) => name.endsWith('_total'));
      if (!['rate', 'irate', 'increase'].includes(call)) bareCounters.push(...counters);
    }
    if (node.name === 'MatrixSelector') {
      const range = /\[([^\]]*)\]$/.exec(slice(node))?.[1] ?? '';
      ranges.push({ function: functionName(node, slice), range });
    }
  }
  return { selectors, ranges, bareCounters };
}

/**
 * The vectors that an alert's expression compares with something: what gives data also while the
 * alert does not fire. `absent(…)` stands for its argument.
 */
export function comparedParts(text: string): string[] {
  const top = parseTree(text).firstChild;
  return top === null ? [] : partsOf(top, text);
}

function partsOf(node: Node, text: string): string[] {
  if (node.name === 'ParenExpr' && node.firstChild !== null) return partsOf(node.firstChild, text);
  const source = text.slice(node.from, node.to);
  if (node.name === 'FunctionCall' && source.startsWith('absent(')) {
    return [source.slice('absent('.length, -1)];
  }
  if (node.name !== 'BinaryExpr') return [source];
  const operator = node.firstChild?.nextSibling?.name ?? '';
  const [left, right] = [node.firstChild, node.lastChild];
  if (left === null || right === null) return [source];
  if (['And', 'Or', 'Unless'].includes(operator)) {
    return [...partsOf(left, text), ...partsOf(right, text)];
  }
  if (!['Gtr', 'Gte', 'Lss', 'Lte', 'Eql', 'EqlC', 'EqlSingle', 'Neq'].includes(operator)) {
    return [source];
  }
  return partsOf(left, text);
}

function parseTree(text: string): Node {
  const tree = parser.parse(text).topNode;
  for (const node of descendants(tree)) {
    if (node.type.isError)
      throw new Error(`not PromQL at "${text.slice(node.from, node.from + 20)}": ${text}`);
  }
  return tree;
}

function* descendants(node: Node): Generator<Node> {
  yield node;
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    yield* descendants(child);
  }
}

function readSelector(node: Node, slice: (node: Node) => string): Selector {
  const matchers: string[] = [];
  const metrics: string[] = [];
  for (const part of descendants(node)) {
    if (part.name === 'Identifier') metrics.push(slice(part));
    if (part.name !== 'UnquotedLabelMatcher' && part.name !== 'QuotedLabelMatcher') continue;
    const matcher = slice(part).replaceAll(/\s/g, '');
    matchers.push(matcher);
    const names = /^__name__=~?"(.*)"$/.exec(matcher)?.[1];
    if (names !== undefined) metrics.push(...names.split('|'));
  }
  return { metrics, matchers };
}

/** The function whose argument this node is; empty when there is none. */
function functionName(node: Node | null, slice: (node: Node) => string): string {
  for (let above = node?.parent ?? null; above !== null; above = above.parent) {
    if (above.name === 'FunctionCall') {
      return above.firstChild === null ? '' : slice(above.firstChild);
    }
    if (above.name !== 'FunctionCallBody' && above.name !== 'FunctionCallArgs') return '';
  }
  return '';
}

/** With Grafana's variables replaced: all of everything, over this range. */
export function substitute(expression: string, rateInterval: string): string {
  return expression.replaceAll('$__rate_interval', rateInterval).replaceAll(/\$\w+/g, '.+');
}

/** The labels that a legend or a title shows. */
export function labelsIn(format: string): string[] {
  return [...format.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, label]) => label ?? '');
}

/** `label_values(selector, label)` of a variable. @throws Error when it is something else. */
export function parseLabelValues(query: string): { selector: string; label: string } {
  const [, selector, label] = /^label_values\((.+),\s*(\w+)\)$/.exec(query) ?? [];
  if (selector === undefined || label === undefined) throw new Error(`not label_values: ${query}`);
  return { selector, label };
}
