import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { workerCount } from '../../src/config/worker-count.ts';

function count(cpus: number, files: Readonly<Record<string, string>>): number {
  return workerCount({ cpus, readText: (path) => files[path] });
}

const CGROUP = '/proc/self/cgroup';
const V2 = '/sys/fs/cgroup/cpu.max';

describe('workerCount', () => {
  it('is the CPUs where no limit can be read', () => {
    assert.equal(count(8, {}), 8);
    assert.equal(count(8, { [V2]: 'max 100000\n', [CGROUP]: '0::/\n' }), 8);
    assert.equal(count(8, { [V2]: 'nonsense' }), 8);
    assert.equal(count(8, { [V2]: '100000 0\n' }), 8);
  });
  it('is the quota of cgroup v2, rounded down, at least 1 and at most the CPUs', () => {
    assert.equal(count(8, { [V2]: '250000 100000\n' }), 2);
    assert.equal(count(8, { [V2]: '20000 100000\n' }), 1);
    assert.equal(count(2, { [V2]: '400000 100000\n' }), 2);
  });
  it("is the tightest quota of the process's own group and its parents", () => {
    const files = {
      [CGROUP]: '0::/system.slice/plugind.service\n',
      '/sys/fs/cgroup/system.slice/cpu.max': '300000 100000\n',
      '/sys/fs/cgroup/system.slice/plugind.service/cpu.max': '500000 100000\n',
    };
    assert.equal(count(8, files), 3);
  });
  it('is the quota of cgroup v1', () => {
    const mounted = {
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '300000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    };
    assert.equal(count(8, mounted), 3);
    const unlimited = { ...mounted, '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n' };
    assert.equal(count(8, unlimited), 8);
    const own = {
      [CGROUP]: '5:memory:/a\n4:cpu,cpuacct:/docker/x\n',
      '/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us': '200000',
      '/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us': '100000',
      '/sys/fs/cgroup/memory/a/cpu.cfs_quota_us': '100000',
      '/sys/fs/cgroup/memory/a/cpu.cfs_period_us': '100000',
    };
    assert.equal(count(8, own), 2);
  });
  it('does not climb out of the mount', () => {
    for (const path of ['/a/b', '/../../..', '/../other']) {
      const files = {
        [CGROUP]: `0::${path}\n`,
        '/sys/fs/cpu.max': '100000 100000',
        '/sys/fs/other/cpu.max': '100000 100000',
        '//cpu.max': '100000 100000',
      };
      assert.equal(count(8, files), 8);
    }
  });
  it('is at least 1 on this machine', () => {
    assert.ok(workerCount() >= 1);
  });
});
