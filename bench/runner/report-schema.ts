/**
 * The JSON Schema of a report, checked by the compiler against its interfaces. test/bench holds
 * results/schema.json and every committed result against it.
 */
import { type TNull, type TSchema, type TUnion, Type } from 'typebox';
import { Errors } from 'typebox/schema';
import { exactly } from '../../schema/parts.ts';
import type { BenchReport } from './report.ts';

const closed = { additionalProperties: false } as const;
const number = Type.Number();
const count = Type.Integer({ minimum: 0 });
const share = Type.Number({ minimum: 0, maximum: 1 });
const orNull = <Schema extends TSchema>(schema: Schema): TUnion<[Schema, TNull]> =>
  Type.Union([schema, Type.Null()]);
const point = Type.Tuple([number, number]);
const sharePoint = Type.Tuple([share, number]);

const spread = Type.Object({ median: number, min: number, max: number }, closed);

const round = Type.Object(
  {
    requestsPerSecond: number,
    p50Us: number,
    p99Us: number,
    refusedP99Us: orNull(number),
    quickP99Us: orNull(number),
    clientLateP99Us: orNull(number),
    rate: orNull(number),
    ok: count,
    wrong: count,
    refused: count,
    failed: count,
    cpuUsPerRequest: orNull(number),
    answered: count,
    counted: orNull(count),
    percentiles: Type.Array(point),
  },
  closed,
);

const contender = Type.Object(
  {
    name: Type.String(),
    title: Type.String(),
    isUnsafe: Type.Boolean(),
    void: orNull(Type.String()),
    deaths: count,
    rounds: Type.Array(round),
    requestsPerSecond: orNull(spread),
    p50Us: orNull(spread),
    p99Us: orNull(spread),
    cpuUsPerRequest: orNull(spread),
    peakRssBytes: orNull(count),
    lockWait: orNull(
      Type.Object({ client: Type.Array(sharePoint), server: Type.Array(sharePoint) }, closed),
    ),
  },
  closed,
);

const scenario = Type.Object(
  {
    name: Type.String(),
    title: Type.String(),
    tool: Type.Union([Type.Literal('plugind-load'), Type.Literal('hey'), Type.Literal('wrk')]),
    pace: Type.Union([Type.Literal('closed'), Type.Literal('slowest'), Type.Literal('own')]),
    connections: count,
    contenders: Type.Array(contender),
  },
  closed,
);

const goal = Type.Object(
  {
    what: Type.String(),
    scenario: Type.String(),
    figure: Type.Union([Type.Literal('requestsPerSecond'), Type.Literal('p99Us')]),
    of: Type.String(),
    over: Type.String(),
    bound: Type.Union([Type.Literal('at least'), Type.Literal('at most')]),
    wanted: number,
    ratio: orNull(number),
    isReached: orNull(Type.Boolean()),
  },
  closed,
);

const machine = Type.Object(
  {
    cpu: Type.String(),
    cpus: count,
    memoryBytes: count,
    system: Type.String(),
    node: Type.String(),
    go: orNull(Type.String()),
    packages: Type.Record(Type.String(), Type.String()),
    commit: orNull(Type.String()),
  },
  closed,
);

const reportSchema = exactly<BenchReport>()(
  Type.Object(
    {
      format: Type.Literal(1),
      date: Type.String(),
      isQuick: Type.Boolean(),
      isWhole: Type.Boolean(),
      machine,
      skipped: Type.Array(Type.String()),
      faults: Type.Array(Type.String()),
      scenarios: Type.Array(scenario),
      goals: Type.Array(goal),
    },
    closed,
  ),
);

/** What results/schema.json holds. */
export function reportJsonSchema(): Record<string, unknown> {
  const plain = JSON.parse(JSON.stringify(reportSchema));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A result of the plugind bench',
    ...plain,
  };
}

/** @throws Error that names the first few places where a value is not a report. */
export function parseReport(value: unknown): BenchReport {
  const [isValid, errors] = Errors(reportSchema, value);
  if (isValid) return value as BenchReport;
  const places = errors.map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
  throw new Error(`not a bench result: ${places.slice(0, 5).join('; ')}`);
}

/** As JSON, checked on the way out. */
export function formatReport(value: BenchReport): string {
  return `${JSON.stringify(parseReport(value), null, 1)}\n`;
}
