import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StreamWriter } from '../../src/log/stream-writer.ts';

type Callback = (error?: Error | null) => void;

/** A stream that calls back when it is told to. */
class Stream {
  readonly lines: string[] = [];
  readonly callbacks: Callback[] = [];

  write(text: string, _encoding: 'utf8', callback: Callback): void {
    this.lines.push(text);
    this.callbacks.push(callback);
  }

  callBack(error?: Error): void {
    for (const callback of this.callbacks.splice(0)) callback(error);
  }
}

describe('a writer to a stream', () => {
  it('drops and counts lines beyond the bound until the stream took some', () => {
    const stream = new Stream();
    const writer = new StreamWriter(stream);
    const line = `${'x'.repeat(1023)}\n`;
    for (let sent = 0; sent < 1030; sent++) writer.write(line);
    assert.equal(stream.lines.length, 1024);
    assert.equal(writer.droppedLines, 6);
    stream.callBack();
    writer.write('more\n');
    assert.equal(stream.lines.at(-1), 'more\n');
    assert.equal(writer.droppedLines, 6);
  });

  it('counts a line that the stream could not write', () => {
    const stream = new Stream();
    const writer = new StreamWriter(stream);
    writer.write('one\n');
    stream.callBack(new Error('disk full'));
    assert.equal(writer.droppedLines, 1);
  });

  it('counts a line whose write throws', () => {
    const writer = new StreamWriter({
      write: () => {
        throw new Error('closed');
      },
    });
    writer.write('one\n');
    assert.equal(writer.droppedLines, 1);
  });

  it('flushes once everything is called back, or when the time is over', async () => {
    const stream = new Stream();
    const writer = new StreamWriter(stream);
    writer.write('one\n');
    await writer.flush(30);
    stream.callBack();
    await writer.flush(60_000);
    assert.equal(writer.droppedLines, 0);
  });
});
