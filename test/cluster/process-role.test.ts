import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readProcessRole } from '../../src/cluster/process-role.ts';

describe('the role of a worker under pm2', () => {
  const base = ['node', 'ProcessContainer.js'];

  for (const [name, before] of [
    ["pm2's daemon", []],
    ['pm2-runtime, whose own arguments come first', ['start', 'ecosystem.config.js']],
  ] as const) {
    it(`has the arguments of the app alone under ${name}`, () => {
      for (const args of [[], ['--port', '8080'], ['a.wasm', 'start', '80'], ['--config', 'a,b']]) {
        const env = { pm_id: '3', args: args.join(',') };
        const role = readProcessRole(env, [...base, ...before, ...args]);
        assert.deepEqual(role.args, args);
      }
    });
  }

  it('has no arguments where pm2 names none', () => {
    assert.deepEqual(readProcessRole({ pm_id: '3' }, [...base, 'start', 'x.js']).args, []);
  });

  it('does not believe the number of instances, which is that of the start', () => {
    const role = readProcessRole({ pm_id: '3', instances: '2' }, base);
    assert.equal(role.expectedWorkers, null);
    assert.equal(role.slot, '3');
  });

  it("knows the app's error log", () => {
    const role = readProcessRole({ pm_id: '3', pm_err_log_path: '/logs/error.log' }, base);
    assert.equal(role.errorLog, '/logs/error.log');
  });
});
