/**
 * Node warns on every start that its WASI is experimental, also where no plugin uses it (the SDK
 * imports it). The README says so once instead. Every other warning is shown as ever.
 */
export function hideWasiWarning(): void {
  const show = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name === 'ExperimentalWarning' && warning.message.startsWith('WASI ')) return;
    for (const listener of show) listener.call(process, warning);
  });
}
