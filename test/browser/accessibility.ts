/**
 * What a page has to have for a keyboard and a screen reader: names and roles, headings, an order
 * of focus that can be seen, enough contrast, nothing wider than the window.
 */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';

/** Of text that is not large: WCAG 2.2, 1.4.3. */
const LOWEST_CONTRAST = 4.5;

export async function checkAccessibility(page: Page): Promise<void> {
  assert.deepEqual(await page.evaluate(STRUCTURE), []);
  assert.deepEqual(await page.evaluate(CONTRAST), []);
  const size = (await page.evaluate(
    '[document.documentElement.scrollWidth, innerWidth]',
  )) as number[];
  assert.ok((size[0] as number) <= (size[1] as number), `wider than the window: ${size}`);
  await checkFocus(page);
}

/** Every control is reached by Tab, in the order of the page, and shows that it has the focus. */
async function checkFocus(page: Page): Promise<void> {
  await page.evaluate('document.activeElement?.blur()');
  const visited: string[] = [];
  for (let press = 0; press < 16; press++) {
    await page.keyboard.press('Tab');
    const focused = (await page.evaluate(FOCUSED)) as { name: string; isSeen: boolean } | null;
    if (focused === null) break;
    assert.ok(focused.isSeen, `${focused.name} does not show that it has the focus`);
    visited.push(focused.name);
  }
  assert.deepEqual(visited, [
    'Skip to the charts',
    'range',
    'plugin',
    'worker',
    'pause',
    'Events',
    'Table of workers',
    'Table of plugins',
    '/metrics',
  ]);
}

const FOCUSED = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const labelled = document.getElementById(element.getAttribute('aria-labelledby') ?? '');
  const name = element.name || element.id || element.getAttribute('aria-label') ||
    (labelled ?? element).textContent.trim();
  const shown = element.type === 'radio' ? element.nextElementSibling : element;
  const { outlineStyle, outlineWidth } = getComputedStyle(shown);
  return { name, isSeen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1 };
})()`;

/** Problems, in words. */
const STRUCTURE = `(() => {
  const problems = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const hasName = (element) => (element.getAttribute('aria-label') ?? '').trim() !== '' ||
    (element.getAttribute('aria-labelledby') ?? '').split(' ').some((id) =>
      (document.getElementById(id)?.textContent ?? '').trim() !== '');
  if (document.documentElement.lang === '') problems.push('no language');
  if (all('h1').length !== 1) problems.push('not one h1');
  if (all('main').length !== 1) problems.push('not one main');
  const ids = all('[id]').map(({ id }) => id);
  if (new Set(ids).size !== ids.length) problems.push('an id twice');
  for (const element of all('input, select, textarea')) {
    if (element.labels.length === 0 && !hasName(element)) problems.push('no label: ' + element.outerHTML);
  }
  for (const element of all('button, a')) {
    if (element.textContent.trim() === '' && !hasName(element)) problems.push('no name: ' + element.outerHTML);
  }
  for (const element of all('[role=img], section, figure, [tabindex="0"]')) {
    if (!hasName(element)) problems.push('no name: ' + element.outerHTML.slice(0, 100));
  }
  for (const element of all('[role=img]')) {
    if (!/Now .*\\d/.test(element.getAttribute('aria-label'))) problems.push('a chart without its figures');
  }
  for (const cell of all('thead th')) if (cell.scope !== 'col') problems.push('a head of no column');
  for (const row of all('tbody tr')) if (row.cells[0].scope !== 'row') problems.push('a row without a head');
  for (const live of all('[role=status]')) {
    if (/\\d (ms|µs)/.test(live.textContent)) problems.push('a live region with figures');
  }
  return problems;
})()`;

const CONTRAST = `(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const backOf = (element) => {
    for (let one = element; one !== null; one = one.parentElement) {
      const colour = rgb(getComputedStyle(one).backgroundColor);
      if (colour[3] === undefined || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const problems = new Set();
  for (const element of document.querySelectorAll('body *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
    if (!hasText || element.checkVisibility?.() === false || element.closest('.hidden, noscript')) continue;
    const a = light(rgb(getComputedStyle(element).color));
    const b = light(backOf(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < ${LOWEST_CONTRAST}) problems.add(element.tagName + ' ' + element.className + ' ' + ratio.toFixed(2));
  }
  return [...problems];
})()`;
