/**
 * Test helper: makes valid modules whose code is nearly all control flow: loops in loops, with and
 * without parameters and results, branches out of and back to each of them by every instruction
 * there is, calls of every kind, dead code. A counter ends each program with a trap after some
 * thousand steps, so that it can run unguarded too; the export `reset` winds it up again.
 */
import { ByteWriter } from '../../../src/plugin/guard/byte-writer.ts';
import { Random } from './random.ts';

const STEPS = 3000;
const FUNCTIONS = 5;
const LOCALS = 4;
const VOID = 0x40;
const I32 = 0x7f;
/** Types: () -> (), (i32) -> (i32), (i32) -> (i32, i64), (i32) -> () and (i32, i32, i32) -> (). */
const [UNIT, UNARY, PAIR, SINK] = [0, 1, 2, 3];
const LOG = 0;
const FIRST_FUNCTION = 1;
const [STEPS_GLOBAL, STATE_GLOBAL] = [0, 1];

type Label = 'void' | 'i32';

class BodyMaker {
  readonly #out: ByteWriter;
  readonly #random: Random;
  readonly #labels: Label[] = [];
  #budget: number;

  constructor(out: ByteWriter, random: Random) {
    this.#out = out;
    this.#random = random;
    this.#budget = 20 + random.below(100);
  }

  /** A function (i32) -> (i32). */
  function(): void {
    this.#out.append([1, LOCALS, I32]);
    this.#labels.push('i32');
    this.#step();
    this.#statements(1 + this.#random.below(6));
    this.#value();
    this.#out.u8(0x0b);
  }

  #emit(...bytes: number[]): void {
    this.#out.append(bytes);
  }

  /** One of the steps that the program has. */
  #step(): void {
    this.#emit(0x23, STEPS_GLOBAL, 0x41, 1, 0x6b, 0x24, STEPS_GLOBAL);
    this.#emit(0x23, STEPS_GLOBAL, 0x41, 0, 0x48, 0x04, VOID, 0x00, 0x0b);
  }

  #local(): number {
    return this.#random.below(LOCALS + 1);
  }

  #value(): void {
    const kind = this.#random.below(7);
    if (kind < 3) this.#emit(0x20, this.#local());
    else if (kind === 3) this.#emit(0x23, STATE_GLOBAL);
    else if (kind === 4) this.#emit(0x41, this.#random.below(64));
    else {
      this.#emit(0x20, this.#local(), 0x20, this.#local());
      this.#emit([0x6a, 0x6b, 0x6c, 0x71, 0x73][this.#random.below(5)] as number);
    }
  }

  #condition(): void {
    this.#value();
    this.#emit(0x41, 1 + this.#random.below(3), 0x71);
  }

  #statements(count: number): void {
    for (let left = count; left > 0 && this.#budget > 0; left -= 1) {
      this.#budget -= 1;
      this.#statement();
    }
  }

  #statement(): void {
    const makers: readonly (() => void)[] = [
      () => this.#assign(),
      () => this.#assign(),
      () => this.#log(),
      () => this.#loop(),
      () => this.#loop(),
      () => this.#loopWithParameter(),
      () => this.#block(),
      () => this.#if(),
      () => this.#branchIf(),
      () => this.#branchIf(),
      () => this.#guarded(() => this.#branch()),
      () => this.#guarded(() => this.#branchTable()),
      () => this.#guarded(() => this.#return()),
      () => this.#call(),
      () => this.#bulk(),
    ];
    (makers[this.#random.below(makers.length)] as () => void)();
  }

  #assign(): void {
    this.#value();
    if (this.#random.below(3) === 0) this.#emit(0x24, STATE_GLOBAL);
    else this.#emit(0x21, this.#local());
  }

  #log(): void {
    this.#value();
    this.#emit(0x10, LOG);
  }

  #nested(label: Label, count: number): void {
    this.#labels.push(label);
    this.#statements(count);
    this.#labels.pop();
  }

  #loop(): void {
    const hasResult = this.#random.below(3) === 0;
    this.#emit(0x03, hasResult ? I32 : VOID);
    this.#step();
    this.#nested('void', 1 + this.#random.below(5));
    this.#condition();
    this.#emit(0x0d, 0);
    if (hasResult) {
      this.#value();
      this.#emit(0x0b, 0x21, this.#local());
    } else this.#emit(0x0b);
  }

  #loopWithParameter(): void {
    const pair = this.#random.below(3) === 0;
    this.#value();
    this.#emit(0x03, pair ? PAIR : UNARY, 0x21, this.#local());
    this.#step();
    this.#nested('i32', 1 + this.#random.below(5));
    this.#value();
    this.#condition();
    this.#emit(0x0d, 0);
    if (pair) this.#emit(0x42, 9, 0x0b, 0xa7, 0x6a, 0x21, this.#local());
    else this.#emit(0x0b, 0x21, this.#local());
  }

  #block(): void {
    const label: Label = this.#random.below(2) === 0 ? 'void' : 'i32';
    this.#emit(0x02, label === 'void' ? VOID : I32);
    this.#nested(label, 1 + this.#random.below(5));
    if (label === 'i32') this.#value();
    this.#emit(0x0b);
    if (label === 'i32') this.#emit(0x21, this.#local());
  }

  #if(): void {
    this.#condition();
    this.#emit(0x04, VOID);
    this.#nested('void', 1 + this.#random.below(3));
    if (this.#random.below(2) === 0) {
      this.#emit(0x05);
      this.#nested('void', 1 + this.#random.below(3));
    }
    this.#emit(0x0b);
  }

  /** What would make the rest dead, most times under a condition. */
  #guarded(make: () => void): void {
    if (this.#random.below(4) === 0) {
      make();
      return;
    }
    this.#condition();
    this.#emit(0x04, VOID);
    this.#labels.push('void');
    make();
    this.#labels.pop();
    this.#emit(0x0b);
  }

  #labelAt(depth: number): Label {
    return this.#labels[this.#labels.length - 1 - depth] as Label;
  }

  #branchIf(): void {
    const depth = this.#random.below(this.#labels.length);
    const hasValue = this.#labelAt(depth) === 'i32';
    if (hasValue) this.#value();
    this.#condition();
    this.#emit(0x0d, depth);
    if (hasValue) this.#emit(0x1a);
  }

  #branch(): void {
    const depth = this.#random.below(this.#labels.length);
    if (this.#labelAt(depth) === 'i32') this.#value();
    this.#emit(0x0c, depth);
  }

  #branchTable(): void {
    const wanted = this.#labelAt(this.#random.below(this.#labels.length));
    const depths = this.#labels.map((_, depth) => depth).filter((d) => this.#labelAt(d) === wanted);
    const pick = (): number => depths[this.#random.below(depths.length)] as number;
    if (wanted === 'i32') this.#value();
    this.#value();
    const count = this.#random.below(4);
    this.#emit(0x0e, count);
    for (let index = 0; index <= count; index += 1) this.#emit(pick());
  }

  #return(): void {
    const callee = FIRST_FUNCTION + this.#random.below(FUNCTIONS);
    this.#value();
    const kind = this.#random.below(4);
    if (kind === 0) this.#emit(0x12, callee);
    else if (kind === 1) {
      this.#emit(0x41, this.#random.below(FUNCTIONS), 0x13, UNARY, 0);
    } else this.#emit(0x0f);
  }

  #call(): void {
    const callee = FIRST_FUNCTION + this.#random.below(FUNCTIONS);
    this.#value();
    if (this.#random.below(3) === 0)
      this.#emit(0x41, this.#random.below(FUNCTIONS), 0x11, UNARY, 0);
    else this.#emit(0x10, callee);
    if (this.#random.below(8) === 0) this.#emit(0x00);
    else this.#emit(0x21, this.#local());
  }

  #bulk(): void {
    const kind = this.#random.below(4);
    if (kind === 3) {
      // memory.grow by 0 or 1, and memory.size.
      this.#value();
      this.#emit(0x41, 1, 0x71, 0x40, 0, 0x21, this.#local());
      this.#emit(0x3f, 0, 0x21, this.#local());
      return;
    }
    this.#value();
    this.#value();
    // Lengths up to 64 Ki, or a constant.
    if (this.#random.below(2) === 0) this.#emit(0x41, this.#random.below(64));
    else {
      this.#value();
      this.#emit(0x41, 0xff, 0xff, 0x03, 0x71);
    }
    if (kind === 0) this.#emit(0xfc, 0x0b, 0);
    else if (kind === 1) this.#emit(0xfc, 0x0a, 0, 0);
    else this.#emit(0xfc, 0x08, 0, 0);
  }
}

/** The module that belongs to a seed. Exports f0, f1, … (i32) -> (i32), memory, state and reset. */
export function randomFlow(seed: number): Uint8Array {
  const random = new Random(seed);
  const out = new ByteWriter(4096);
  const part = new ByteWriter(4096);
  const section = (id: number, write: () => void): void => {
    part.clear();
    write();
    out.u8(id);
    out.sized(part);
  };
  const name = (text: string, ...rest: number[]): void => {
    part.name(text);
    part.append(rest);
  };
  const all = Array.from({ length: FUNCTIONS }, (_, index) => index);
  out.append([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  section(1, () => {
    part.append([4, 0x60, 0, 0, 0x60, 1, I32, 1, I32]);
    part.append([0x60, 1, I32, 2, I32, 0x7e, 0x60, 1, I32, 0]);
  });
  section(2, () => {
    part.u8(1);
    part.name('env');
    name('log', 0, SINK);
  });
  section(3, () => part.append([FUNCTIONS + 1, ...all.map(() => UNARY), UNIT]));
  section(4, () => part.append([1, 0x70, 0, FUNCTIONS]));
  section(5, () => part.append([1, 1, 2, 9]));
  section(6, () => {
    part.append([2, I32, 1, 0x41]);
    part.s32(STEPS);
    part.append([0x0b, I32, 1, 0x41, 5, 0x0b]);
  });
  section(7, () => {
    part.u8(FUNCTIONS + 3);
    for (const index of all) name(`f${index}`, 0, FIRST_FUNCTION + index);
    name('reset', 0, FIRST_FUNCTION + FUNCTIONS);
    name('memory', 2, 0);
    name('state', 3, STATE_GLOBAL);
  });
  section(9, () =>
    part.append([1, 0, 0x41, 0, 0x0b, FUNCTIONS, ...all.map((i) => i + FIRST_FUNCTION)]),
  );
  section(12, () => part.u8(1));
  section(10, () => {
    part.u8(FUNCTIONS + 1);
    const body = new ByteWriter(1024);
    for (const _ of all) {
      body.clear();
      new BodyMaker(body, random).function();
      part.sized(body);
    }
    body.clear();
    body.append([0, 0x41]);
    body.s32(STEPS);
    body.append([0x24, STEPS_GLOBAL, 0x0b]);
    part.sized(body);
  });
  section(11, () => part.append([1, 1, 70, ...random.bytes(70)]));
  return out.toBytes();
}
