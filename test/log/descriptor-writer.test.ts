import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DescriptorWriter } from '../../src/log/descriptor-writer.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** A descriptor with so much room, which fails with a code while there is none. */
class Sink {
  text = '';
  room = Number.POSITIVE_INFINITY;
  code = 'EAGAIN';

  readonly write = (bytes: Uint8Array, offset: number): number => {
    const taken = bytes.subarray(offset, offset + this.room);
    if (taken.length === 0) throw Object.assign(new Error(this.code), { code: this.code });
    this.room -= taken.length;
    this.text += Buffer.from(taken).toString('latin1');
    return taken.length;
  };
}

describe('a writer to a descriptor', () => {
  it('writes each line at once', () => {
    const sink = new Sink();
    new DescriptorWriter(sink.write).write('one\n');
    assert.equal(sink.text, 'one\n');
  });

  it('holds back what a reader that stands still does not take, and writes it in order later', async () => {
    const sink = new Sink();
    const writer = new DescriptorWriter(sink.write);
    sink.room = 2;
    for (const line of ['one\n', 'two\n']) writer.write(line);
    assert.equal(sink.text, 'on');
    sink.room = Number.POSITIVE_INFINITY;
    await waitFor('the rest', () => sink.text === 'one\ntwo\n');
    assert.equal(writer.droppedLines, 0);
  });

  it('drops and counts lines beyond the bound', async () => {
    const sink = new Sink();
    const writer = new DescriptorWriter(sink.write);
    sink.room = 0;
    const line = `${'x'.repeat(1023)}\n`;
    for (let sent = 0; sent < 1030; sent++) writer.write(line);
    assert.equal(writer.droppedLines, 6);
    sink.room = Number.POSITIVE_INFINITY;
    await writer.flush(5000);
    assert.equal(sink.text.length, 1024 * 1024);
  });

  for (const code of ['ENOSPC', 'EPIPE']) {
    it(`drops a line that ends in ${code} and writes the next on a line of its own`, () => {
      const sink = new Sink();
      const writer = new DescriptorWriter(sink.write);
      sink.code = code;
      sink.room = 2;
      for (const line of ['one\n', 'two\n']) writer.write(line);
      assert.equal(writer.droppedLines, 2);
      sink.room = Number.POSITIVE_INFINITY;
      for (const line of ['three\n', 'four\n']) writer.write(line);
      assert.equal(sink.text, 'on\nthree\nfour\n');
    });
  }

  it('does not wait for a reader longer than told', async () => {
    const sink = new Sink();
    const writer = new DescriptorWriter(sink.write);
    sink.room = 0;
    writer.write('one\n');
    const startedAt = performance.now();
    await writer.flush(50);
    assert.ok(performance.now() - startedAt < 5000);
    assert.equal(sink.text, '');
  });
});
