/** The tables and the line of figures above the charts: rows are kept and only their text changes. */
import { meanAt, sumAt } from './charts.js';
import { readFigures } from './figures.js';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  formatShare,
  formatTime,
  formatUptime,
} from './format.js';
import { createSwatch } from './palette.js';

/** @typedef {import('./cluster.js').Cluster} Cluster */
/** @typedef {import('./figures.js').Figures} Figures */

const PAGE_BYTES = 65_536;

/** @param {HTMLTableElement} table @param {Cluster} cluster */
export function writeWorkers(table, cluster) {
  const workers = cluster.turn.workers
    .map((worker) => ('head' in worker ? worker.head : worker))
    .sort((a, b) => Number(a.slot) - Number(b.slot) || a.pid - b.pid);
  const rows = workers.map((worker) => {
    const { slot, pid, state } = worker;
    const now = readFigures(cluster.history, { seconds: 1, plugin: '', worker: slot });
    const has = state === 'silent' ? undefined : now;
    const isThere = 'uptimeSeconds' in worker;
    return {
      key: String(pid),
      tone: state,
      swatch: Number(slot),
      cells: [
        slot,
        state,
        formatRate(has?.throughput.get(slot)?.[0]),
        formatShare(has?.busy.get(slot)?.[0]),
        formatDuration(has?.wait.p50[0]),
        formatDuration(has?.wait.p99[0]),
        formatCount(has?.waiters[0]),
        formatRate(has === undefined ? null : (sumAt(has.errors.values(), 0) ?? 0)),
        formatUptime(isThere ? worker.uptimeSeconds : null),
        String(pid),
        isThere ? worker.version : '–',
      ],
    };
  });
  writeRows(table, rows);
}

/** @param {HTMLTableElement} table @param {Cluster} cluster */
export function writePlugins(table, cluster) {
  const heads = cluster.turn.workers.flatMap((worker) => ('head' in worker ? [worker.head] : []));
  const rows = cluster.plugins.map((name) => {
    const copies = heads.flatMap(({ plugins }) => plugins.filter((one) => one.name === name));
    const hashes = new Set(copies.map(({ hash }) => hash.slice(0, 12)));
    const now = readFigures(cluster.history, { seconds: 1, plugin: name, worker: '' });
    const calls = copies.flatMap((one) => Object.entries(one.calls));
    const sum = (/** @type {[string, number][]} */ some) =>
      some.reduce((total, [, count]) => total + count, 0);
    const { isolation, execution, limits } = /** @type {(typeof copies)[number]} */ (copies[0]);
    const { timeoutMs, maxPages, maxWaiters, waitMs, instances } = limits;
    return {
      key: name,
      // During a roll old and new code serve side by side.
      tone: hashes.size > 1 ? 'mixed' : '',
      swatch: null,
      cells: [
        name,
        [...hashes].join(', '),
        instances > 1 ? `${isolation} of ${instances}` : isolation,
        execution,
        formatBytes(copies.reduce((total, { memoryBytes }) => total + memoryBytes, 0)),
        formatCount(sum(calls)),
        formatCount(sum(calls.filter(([outcome]) => outcome !== 'ok'))),
        formatRate(sumAt(now.throughput.values(), 0)),
        formatDuration(now.wait.p99[0]),
        formatDuration(timeoutMs / 1000),
        formatBytes(maxPages * PAGE_BYTES),
        `${formatCount(maxWaiters)}, ${formatDuration(waitMs / 1000)}`,
      ],
    };
  });
  writeRows(table, rows);
}

/**
 * @param {HTMLElement} list
 * @param {Cluster} cluster
 * @param {Figures} figures
 */
export function writeSummary(list, cluster, figures) {
  const last = figures.times.length - 1;
  const { workers, primary } = cluster.turn;
  const ready = workers.filter((one) => 'head' in one && one.head.state === 'ready').length;
  const wanted = primary?.expectedWorkers ?? new Set(workers.map(slotOf)).size;
  const errors = sumAt(figures.errors.values(), last) ?? 0;
  /** @type {[string, string, string][]} */
  const entries = [
    ['Requests/s', formatRate(sumAt(figures.throughput.values(), last)), ''],
    ['Wait p50', formatDuration(figures.wait.p50[last]), ''],
    ['Wait p99', formatDuration(figures.wait.p99[last]), ''],
    ['Waiting', formatCount(figures.waiters[last]), ''],
    ['Busy', formatShare(meanAt(figures.busy.values(), last)), ''],
    ['Errors/s', formatRate(errors), errors > 0 ? 'bad' : ''],
    ['Workers ready', `${ready} of ${wanted}`, ready < wanted ? 'bad' : ''],
  ];
  for (const [index, [name, value, tone]] of entries.entries()) {
    const entry = list.children[index] ?? list.appendChild(createEntry());
    entry.className = tone;
    setText(entry.children[0], name);
    setText(entry.children[1], value);
  }
}

/** The latest first. @param {HTMLElement} list @param {readonly import('./marks.js').Mark[]} marks */
export function writeMarks(list, marks) {
  const latest = marks.slice(-50).reverse();
  const shape = latest.map(({ key, text }) => `${key} ${text}`).join('|');
  if (list.dataset.shape === shape) return;
  list.dataset.shape = shape;
  const items = latest.map(({ atMs, text, tone }) => {
    const item = document.createElement('li');
    item.className = tone;
    const time = document.createElement('time');
    time.dateTime = new Date(atMs).toISOString();
    time.textContent = formatTime(atMs);
    item.append(time, ` ${text}`);
    return item;
  });
  list.replaceChildren(...items);
}

/** @param {import('./protocol.d.ts').Turn['workers'][number]} worker */
function slotOf(worker) {
  return 'head' in worker ? worker.head.slot : worker.slot;
}

function createEntry() {
  const entry = document.createElement('div');
  entry.append(document.createElement('dt'), document.createElement('dd'));
  return entry;
}

/**
 * @typedef {object} TableRow
 * @property {string} key
 * @property {string} tone
 * @property {number | null} swatch
 * @property {readonly string[]} cells
 */

/** @param {HTMLTableElement} table @param {readonly TableRow[]} rows */
function writeRows(table, rows) {
  const body = /** @type {HTMLTableSectionElement} */ (table.tBodies[0]);
  const numeric = [...(table.tHead?.rows[0]?.cells ?? [])].map((cell) => cell.className);
  for (const [index, { key, tone, swatch, cells }] of rows.entries()) {
    let row = body.rows[index];
    if (row === undefined || row.dataset.key !== key) {
      const made = createRow(key, swatch, numeric);
      if (row === undefined) body.append(made);
      else row.replaceWith(made);
      row = made;
    }
    row.className = tone;
    for (const [place, text] of cells.entries()) {
      const cell = row.cells[place];
      setText(place === 0 ? cell?.lastElementChild : cell, text);
    }
  }
  while (body.rows.length > rows.length) body.deleteRow(-1);
}

/** @param {string} key @param {number | null} swatch @param {readonly string[]} classes */
function createRow(key, swatch, classes) {
  const row = document.createElement('tr');
  row.dataset.key = key;
  for (const [place, name] of classes.entries()) {
    const cell = document.createElement(place === 0 ? 'th' : 'td');
    cell.className = name;
    if (place === 0) {
      cell.setAttribute('scope', 'row');
      if (swatch !== null) cell.append(createSwatch(swatch));
      cell.append(document.createElement('span'));
    }
    row.append(cell);
  }
  return row;
}

/** @param {Element | undefined | null} element @param {string} text */
function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
