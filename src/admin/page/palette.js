/**
 * Colours of the lines. Up to 8 workers differ by colour, more by the pattern of the line as well;
 * each stands beside its number wherever it is used. Every colour has a contrast of 3:1 or more
 * against the card it is drawn on.
 */

const LIGHT = [
  '#1f6feb',
  '#c2570c',
  '#0b7f6d',
  '#a832a8',
  '#5c7a09',
  '#7048e8',
  '#8f6100',
  '#0a7298',
];
const DARK = [
  '#6ea8fe',
  '#f59e5b',
  '#3ecfae',
  '#e07ae0',
  '#a8cc45',
  '#b197fc',
  '#e0b040',
  '#5cc8f0',
];
/** @type {readonly (readonly number[])[]} */
const DASHES = [[], [7, 3], [2, 2], [9, 3, 2, 3]];

const dark = matchMedia('(prefers-color-scheme: dark)');

/** @param {() => void} listener told when the colours change */
export function onSchemeChange(listener) {
  dark.addEventListener('change', listener);
}

/** @param {number} index */
export function lineColour(index) {
  return (dark.matches ? DARK : LIGHT)[index % LIGHT.length] ?? '';
}

/** @param {number} index */
export function lineDash(index) {
  return DASHES[Math.floor(index / LIGHT.length) % DASHES.length] ?? [];
}

/** A colour of page.css, by its name. @param {string} name */
export function themeColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** A piece of the line, for legends. @param {number} index */
export function createSwatch(index) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', `swatch c${index % LIGHT.length}`);
  svg.setAttribute('viewBox', '0 0 20 8');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('d', 'M0 4H20');
  const dash = lineDash(index);
  if (dash.length > 0) line.setAttribute('stroke-dasharray', dash.join(' '));
  svg.append(line);
  return svg;
}
