/** The command line of the bench. */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly isQuick: boolean;
  /** Names; null: all. */
  readonly scenarios: readonly string[] | null;
  readonly contenders: readonly string[] | null;
  /** A result to hold this run against. */
  readonly compareWith: string | null;
  /** Name of the result below bench/results/, without its ending. */
  readonly name: string;
  /** In place of the scenarios' own. */
  readonly rounds: number | null;
  readonly seconds: number | null;
  /** Neither quick nor a part. */
  readonly isWhole: boolean;
  /** Only a whole run may speak for the project. */
  readonly writesReadme: boolean;
}

export const USAGE = `npm run bench -- [options]
  --quick               a short look in under a minute; needs nothing but Node
  --scenario a,b        these only
  --contender x,y       these only
  --compare FILE        says what got slower than in that result, beyond the spread; exit 1 then
  --name NAME           writes bench/results/NAME.json and .md (default: latest for a whole run, else partial)
  --rounds N            in place of each scenario's own
  --seconds N           the same
  --list                what there is`;

/** Nothing: the usage was asked for. @throws TypeError for what it does not know. */
export function parseOptions(argv: readonly string[]): BenchOptions | 'help' | 'list' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      scenario: { type: 'string' },
      contender: { type: 'string' },
      compare: { type: 'string' },
      name: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.list) return 'list';
  const isWhole = !values.quick && values.scenario === undefined && values.contender === undefined;
  const name = values.name ?? (isWhole ? 'latest' : 'partial');
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(name)) {
    throw new TypeError(`--name must be lower-case letters, digits, "." and "-", got ${name}`);
  }
  return {
    isQuick: values.quick,
    scenarios: values.scenario?.split(',') ?? null,
    contenders: values.contender?.split(',') ?? null,
    compareWith: values.compare ?? null,
    name,
    rounds: positive('--rounds', values.rounds),
    seconds: positive('--seconds', values.seconds),
    isWhole,
    writesReadme: isWhole && name === 'latest',
  };
}

function positive(flag: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!(value > 0)) throw new TypeError(`${flag} must be a number above 0, got ${text}`);
  return value;
}
