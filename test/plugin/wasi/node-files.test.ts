/** What lies beneath the checks on paths: node:wasi itself holds a read-only directory so. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createMounts } from '../../../src/plugin/wasi/mounts.ts';
import { NodeFiles } from '../../../src/plugin/wasi/node-files.ts';
import type { FoundKind, ResolvedPath } from '../../../src/plugin/wasi/resolve-path.ts';
import { createDirectory, mount, READ, WRITE } from './test-guest.ts';

describe('NodeFiles', () => {
  it('refuses to write to a read-only mount, whatever it is asked', () => {
    const root = createDirectory();
    mkdirSync(join(root, 'sub'));
    writeFileSync(join(root, 'file'), 'kept');
    const [only, other] = createMounts([mount(root, '/ro', true), mount(root, '/rw')]);
    const files = new NodeFiles([only, other].filter((one) => one !== undefined));
    const path = (name: string, kind: FoundKind, of = only): ResolvedPath => ({
      mount: of as NonNullable<typeof of>,
      parts: [name],
      kind,
      readOnly: false,
      isPinned: false,
    });
    const file = path('file', 'file');
    assert.equal(files.open(file, 0, READ | WRITE, 0n, 0), -76);
    assert.equal(files.open(file, 8, READ, 0n, 0), -76);
    assert.equal(files.open(path('new', 'missing'), 1, READ, 0n, 0), -76);
    const directory = files.pathValues(path('new', 'missing'));
    assert.equal(files.run('path_create_directory', ...directory), 76);
    assert.equal(files.run('path_unlink_file', ...files.pathValues(file)), 76);
    const removed = files.pathValues(path('sub', 'directory'));
    assert.equal(files.run('path_remove_directory', ...removed), 76);
    assert.ok(files.open(path('new', 'missing', other), 1, WRITE, 0n, 0) > 0);
    assert.ok(existsSync(join(root, 'file')) && existsSync(join(root, 'sub')));
    files.close();
  });
});
