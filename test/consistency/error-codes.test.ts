/** The documented table of errors against the code: every code a client can meet, with its status. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ERROR_CODES, ERRORS, type ErrorCode, ServerError } from '../../src/errors.ts';
import { statusOf } from '../../src/http/status.ts';
import { ROOT } from '../helpers/paths.ts';

const DOC = readFileSync(path.join(ROOT, 'docs/configuration.md'), 'utf8');

/**
 * Code -> status, from the rows of tables whose first cell names codes and whose second begins with
 * a status for all of them, or with one for each.
 */
const documented = new Map<string, number>();
for (const row of DOC.split('\n').filter((line) => line.startsWith('|'))) {
  const [, codes = '', status = ''] = row.split('|').map((cell) => cell.trim());
  const statuses = /^\d{3}(, \d{3})*/.exec(status)?.[0].split(', ').map(Number);
  if (statuses === undefined) continue;
  for (const [index, [, code]] of [...codes.matchAll(/`([A-Z_]+)`/g)].entries()) {
    documented.set(String(code), statuses[index] ?? statuses[0] ?? 0);
  }
}

/** Codes of the kind `configuration` end the process before anything listens. */
const reachable = ERROR_CODES.filter((code) => ERRORS[code].kind !== 'configuration');

describe('the documented errors', () => {
  it('are all that a client can meet, each with the status that it has', () => {
    assert.deepEqual(
      Object.fromEntries(reachable.map((code) => [code, documented.get(code)])),
      Object.fromEntries(
        reachable.map((code) => [code, statusOf(new ServerError(code, ''), null)]),
      ),
    );
  });

  it('are none that do not exist', () => {
    for (const code of documented.keys()) assert.ok(ERROR_CODES.includes(code as ErrorCode), code);
  });
});
