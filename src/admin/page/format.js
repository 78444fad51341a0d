/** Numbers as people read them. A figure that is not there is a dash. */

const NONE = '–';
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const hundredth = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** @typedef {number | null | undefined} Figure */

/** @param {Figure} value */
export function formatCount(value) {
  return isFigure(value) ? whole.format(value) : NONE;
}

/** A rate a second. @param {Figure} value */
export function formatRate(value) {
  if (!isFigure(value)) return NONE;
  if (value >= 10) return whole.format(value);
  return (value < 1 ? hundredth : tenth).format(value);
}

/** @param {Figure} value a share: 1 is 100 % */
export function formatShare(value) {
  if (!isFigure(value)) return NONE;
  return `${value < 0.1 && value > 0 ? tenth.format(value * 100) : whole.format(value * 100)} %`;
}

/** Three digits at the most. @param {Figure} seconds */
export function formatDuration(seconds) {
  if (!isFigure(seconds)) return NONE;
  if (seconds === 0) return '0 s';
  if (seconds < 0.000_999_5) return `${digits(seconds * 1e6)} µs`;
  if (seconds < 0.999_5) return `${digits(seconds * 1e3)} ms`;
  return `${digits(seconds)} s`;
}

/** For how long. @param {Figure} seconds */
export function formatUptime(seconds) {
  if (!isFigure(seconds)) return NONE;
  const s = Math.floor(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** @param {Figure} value */
export function formatBytes(value) {
  if (!isFigure(value)) return NONE;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${digits(size)} ${units[unit]}`;
}

/** Wall clock of the reader. @param {number} ms */
export function formatTime(ms) {
  return clock.format(ms);
}

/** @param {number} value */
function digits(value) {
  return value < 9.95 ? tenth.format(value) : whole.format(value);
}

/** @param {Figure} value @returns {value is number} */
function isFigure(value) {
  return typeof value === 'number' && Number.isFinite(value);
}
