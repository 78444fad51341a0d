import type { GuestHttp } from '../kernel/http-host.ts';
export function createGuestHttp(_o: unknown): GuestHttp {
  throw new Error('stub');
}
