/**
 * `plugind verify URL`: whether a running server, ours or any other, ever answers one request with
 * another's data. Requests with unique ids, with and without bodies; an answer must hold its own
 * request's id and nobody else's. A server whose answers hold no id cannot be judged this way.
 */
import { ServerError } from '../../errors.ts';
import { createProbeSet, type ProbeMethod, type ProbeSet } from './probe.ts';
import { ProbeConnection, type ProbeTarget } from './probe-connection.ts';
import { type Mistake, type ProbeFindings, runProbes } from './run-probes.ts';

export interface VerifyArguments {
  /** As the operator wrote it. */
  readonly url: string;
  readonly connections: number;
  /** For each method. */
  readonly requests: number;
  readonly methods: readonly ProbeMethod[];
}

const TIMEOUT_MS = 30_000;
const SHOWN_CHARACTERS = 120;

/** Resolves to 0 for no cross-talk, 1 for some. @throws ServerError `CONFIG_INVALID` when the server cannot be judged. */
export async function verify(args: VerifyArguments): Promise<number> {
  const url = readUrl(args.url);
  const target = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 80 : Number(url.port),
    timeoutMs: TIMEOUT_MS,
  };
  let judged = 0;
  let wrong = 0;
  const reasons: string[] = [];
  for (const method of args.methods) {
    const probes = createProbeSet(url, method);
    const reason = await whyNotJudged(target, probes);
    if (reason !== null) {
      reasons.push(`${method}: ${reason}`);
      console.log(`${method.padEnd(4)}  not judged: ${reason}`);
      continue;
    }
    const { connections, requests } = args;
    const findings = await runProbes({ target, probes, connections, requests });
    console.log(report(method, findings, probes));
    judged += findings.verdicts.right + findings.verdicts.wrong;
    wrong += findings.verdicts.wrong;
  }
  if (judged === 0) {
    const why = reasons.length === 0 ? 'no request was answered with 200' : reasons.join('; ');
    throw mistake(`${args.url} cannot be judged: ${why}`);
  }
  console.log(
    wrong === 0
      ? `no cross-talk in ${judged} answers`
      : `CROSS-TALK: ${wrong} of ${judged} answers are not those of their request`,
  );
  return wrong === 0 ? 0 : 1;
}

/** @throws ServerError `CONFIG_INVALID` */
function readUrl(text: string): URL {
  if (!URL.canParse(text)) throw mistake(`not a URL: ${JSON.stringify(text)}`);
  const url = new URL(text);
  if (url.protocol !== 'http:') throw mistake(`verify takes an http: URL (got ${text})`);
  return url;
}

/** One request alone: null when its answer holds its id. @throws ServerError `CONFIG_INVALID` without an answer. */
async function whyNotJudged(target: ProbeTarget, probes: ProbeSet): Promise<string | null> {
  const connection = new ProbeConnection(target);
  const { replies, failure } = await connection.exchange([probes.request(0)]);
  connection.close();
  const reply = replies[0] ?? null;
  if (reply === null) {
    throw mistake(`no answer from ${target.host} port ${target.port} (${failure})`);
  }
  if (reply.status !== 200) return `the answer is ${reply.status}`;
  if (probes.idsIn(reply.body).length > 0) return null;
  return `the answer does not hold what was sent: ${shortened(reply.body)}`;
}

function report(method: ProbeMethod, findings: ProbeFindings, probes: ProbeSet): string {
  const { right, wrong, refused, failed } = findings.verdicts;
  const reasons = [...findings.failures].map(([reason, count]) => `${reason} x ${count}`);
  const why = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
  return [
    `${method.padEnd(4)}  right ${right}  wrong ${wrong}  refused ${refused}  failed ${failed}${why}`,
    ...findings.mistakes.map((one) => `      ${describe(one, probes)}`),
  ].join('\n');
}

function describe({ number, reply }: Mistake, probes: ProbeSet): string {
  const others = probes.idsIn(reply.body).filter((other) => other !== number);
  const whose = others.length === 0 ? 'nobody' : others.map(probes.id).join(', ');
  return `${probes.id(number)} got the answer of ${whose}: ${shortened(reply.body)}`;
}

/** Quoted, so that nothing in an answer moves the terminal's cursor. */
function shortened(text: string): string {
  return JSON.stringify(text.slice(0, SHOWN_CHARACTERS));
}

function mistake(message: string): ServerError {
  return new ServerError('CONFIG_INVALID', message);
}
