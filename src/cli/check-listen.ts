/**
 * Finds out before any worker starts whether an address is free, so that the operator reads one
 * line; and which port the system chooses for port 0, so that every worker binds the same one.
 */
import { type AddressInfo, createServer } from 'node:net';
import type { ListenConfig } from '../config/types.ts';
import { ServerError } from '../errors.ts';

/** Resolves to the port. @throws ServerError `CONFIG_INVALID` naming the address. */
export async function checkListen(what: string, { host, port }: ListenConfig): Promise<number> {
  try {
    return await bindOnce(host, port);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = REASONS[code ?? ''] ?? `cannot be bound (${code})`;
    throw new ServerError('CONFIG_INVALID', `${what}: ${host} port ${port} ${reason}`, { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another process',
  EACCES: 'may not be bound by this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'is not a known host name',
};

function bindOnce(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const bound = (server.address() as AddressInfo).port;
      server.close(() => resolve(bound));
    });
  });
}
