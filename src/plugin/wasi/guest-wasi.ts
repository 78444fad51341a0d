export interface GuestWasi {
  functions: Record<string, (...n: number[]) => number>;
  attach(m: WebAssembly.Memory): void;
  begin(): void;
  end(): void;
  exitCode: number | null;
  isExit(t: unknown): boolean;
  close(): Promise<void>;
}
export function createGuestWasi(_o: unknown): GuestWasi {
  throw new Error('stub');
}
