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

describe('the role of a process', () => {
  const argv = ['node', 'worker.js', '--port', '1'];

  it('is alone where no supervisor left anything', () => {
    assert.deepEqual(readProcessRole({}, argv), {
      supervisor: 'none',
      hasOwnPrimary: false,
      slot: '0',
      appName: 'plugind',
      primaryPid: process.pid,
      runDir: null,
      restarts: null,
      errorLog: null,
      acceptedConfig: null,
      args: ['--port', '1'],
      expectedWorkers: 1,
    });
  });

  it('is that of a worker of our own primary, which reads what that accepted', () => {
    const env = {
      PLUGIND_SLOT: '3',
      PLUGIND_EXPECTED_WORKERS: '4',
      PLUGIND_RUN_DIR: '/run/plugind',
      PLUGIND_ACCEPTED_CONFIG: '/run/plugind/config.json',
    };
    assert.deepEqual(readProcessRole(env, argv), {
      supervisor: 'plugind',
      hasOwnPrimary: true,
      slot: '3',
      appName: 'plugind',
      primaryPid: process.ppid,
      runDir: '/run/plugind',
      restarts: null,
      errorLog: null,
      acceptedConfig: '/run/plugind/config.json',
      args: [],
      expectedWorkers: 4,
    });
  });

  it('is that of a worker of pm2, which reads its configuration itself', () => {
    const env = {
      pm_id: '7',
      name: 'shop',
      restart_time: '5',
      PLUGIND_ACCEPTED_CONFIG: '/else.json',
    };
    const { supervisor, slot, appName, primaryPid, restarts, acceptedConfig } = readProcessRole(
      env,
      argv,
    );
    assert.deepEqual(
      { supervisor, slot, appName, primaryPid, restarts, acceptedConfig },
      {
        supervisor: 'pm2',
        slot: '7',
        appName: 'shop',
        primaryPid: process.ppid,
        restarts: 5,
        acceptedConfig: null,
      },
    );
  });

  it('is that of our own primary’s worker also when that runs under pm2', () => {
    assert.equal(readProcessRole({ PLUGIND_SLOT: '0', pm_id: '7' }, argv).supervisor, 'plugind');
  });

  it('takes no count from a word', () => {
    for (const text of ['max', '-1', '1.5', '', ' 2', undefined]) {
      const own = { PLUGIND_SLOT: '0', PLUGIND_EXPECTED_WORKERS: text };
      assert.equal(readProcessRole(own, argv).expectedWorkers, null);
      assert.equal(readProcessRole({ pm_id: '0', restart_time: text }, argv).restarts, 0);
    }
  });

  it('takes an empty run directory for none', () => {
    assert.equal(readProcessRole({ PLUGIND_RUN_DIR: '' }, argv).runDir, null);
  });
});
