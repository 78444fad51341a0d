/** Where the lines of a guest's log functions and of its standard output and error come together. */
import type { EngineEnvironment } from './engine-environment.ts';
import type { InstanceOptions } from './instance-options.ts';

export function guestSinks(
  plugin: string,
  onLine: EngineEnvironment['onGuestLine'],
): Pick<InstanceOptions, 'logSink' | 'outputSink'> {
  return {
    logSink: (line) => onLine({ plugin, source: 'log', ...line }),
    outputSink: (stream, message, truncatedBytes) =>
      onLine({
        plugin,
        source: stream,
        level: stream === 'stdout' ? 'info' : 'warn',
        message,
        truncatedBytes,
      }),
  };
}
