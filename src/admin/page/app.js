/** The live page: joins the stream, what is known of the app, and what is shown. */
import { Charts } from './charts.js';
import { Cluster, FORMAT } from './cluster.js';
import { FigureWindow } from './figure-window.js';
import { runStream } from './live-stream.js';
import { onSchemeChange } from './palette.js';
import { askToken, readToken } from './sign-in.js';
import { writeMarks, writePlugins, writeSummary, writeWorkers } from './tables.js';

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const controls = /** @type {HTMLFormElement} */ (byId('controls'));
const pauseButton = byId('pause');
const charts = new Charts();
const figureWindow = new FigureWindow();
const events = createEventsCard();
byId('charts').append(...charts.panels.map(({ element }) => element), events.card);

/** What is known; tests read it too. @type {Cluster | null} */
export let cluster = null;
let isPaused = false;
let frame = 0;

controls.addEventListener('change', render);
controls.addEventListener('submit', (event) => event.preventDefault());
pauseButton.addEventListener('click', () => {
  isPaused = !isPaused;
  pauseButton.setAttribute('aria-pressed', String(isPaused));
  pauseButton.textContent = isPaused ? 'Go on' : 'Pause';
  if (!isPaused) render();
});
document.addEventListener('visibilitychange', render);
onSchemeChange(() => charts.repaint());
// What scrolls can be reached by keyboard; not every browser sees to that.
for (const region of document.querySelectorAll('.scroll')) region.setAttribute('tabindex', '0');
void follow();

/** Never returns. */
async function follow() {
  for (;;) {
    await runStream({
      url: 'live/events',
      token: readToken,
      onEvent: receive,
      onState: (state, detail) => {
        if (state === 'open') return;
        const text = state === 'refused' ? 'Token needed' : 'Reconnecting';
        showConnection(state, detail === '' ? text : `${text}: ${detail}`);
      },
    });
    await askToken();
  }
}

/** @param {import('./sse-parser.js').ServerEvent} event */
function receive({ type, data }) {
  if (type === 'hello') {
    const hello = JSON.parse(data);
    // The app was rolled onto another version: its page is another one.
    if (hello.format !== FORMAT) location.reload();
    cluster ??= new Cluster(hello);
    return;
  }
  if (type !== 'turn' || cluster === null) return;
  const news = cluster.take(JSON.parse(data));
  showConnection('open', 'Live');
  announce(news);
  renderSoon();
}

/** @param {string} state @param {string} text */
function showConnection(state, text) {
  const element = byId('connection');
  if (element.textContent !== text) element.textContent = text;
  element.dataset.state = state;
}

/** Changes of state only, and not those of before the page was opened. @param {readonly import('./marks.js').Mark[]} news */
function announce(news) {
  const recent = news.filter(({ atMs }) => atMs > (cluster?.turn.timeMs ?? 0) - 5000);
  if (recent.length === 0) return;
  byId('news').textContent = recent.map(({ text }) => text).join('; ');
}

/** Once, however many turns come at once, as when a late viewer gets its history in pieces. */
function renderSoon() {
  if (frame !== 0) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    render();
  });
}

function render() {
  if (cluster === null || isPaused || document.hidden || cluster.history.end === 0) return;
  const chosen = new FormData(controls);
  const choice = (/** @type {string} */ name) => String(chosen.get(name) ?? '');
  fillPick('plugin', cluster.plugins);
  fillPick(
    'worker',
    [...cluster.history.slots.keys()].sort((a, b) => Number(a) - Number(b)),
  );
  const figures = figureWindow.read(cluster.history, {
    seconds: Number(choice('range')),
    plugin: choice('plugin'),
    worker: choice('worker'),
  });
  const marks = cluster.marks.list;
  charts.draw(figures, marks);
  writeMarks(events.list, marks);
  writeSummary(byId('summary'), cluster, figures);
  writeWorkers(/** @type {HTMLTableElement} */ (byId('workers')), cluster);
  writePlugins(/** @type {HTMLTableElement} */ (byId('plugins')), cluster);
  const { primary } = cluster.turn;
  byId('origin').textContent = primary === null ? '' : primary.listen;
  const trouble = byId('trouble');
  trouble.hidden = (primary?.notReady ?? []).length === 0;
  trouble.textContent = `Not ready: ${primary?.notReady.join('; ')}`;
}

/** @param {string} name @param {readonly string[]} values */
function fillPick(name, values) {
  const select = /** @type {HTMLSelectElement} */ (controls.elements.namedItem(name));
  const known = [...select.options].slice(1).map(({ value }) => value);
  if (known.join() === values.join()) return;
  const chosen = select.value;
  select.replaceChildren(new Option('all', ''), ...values.map((value) => new Option(value, value)));
  select.value = values.includes(chosen) ? chosen : '';
}

function createEventsCard() {
  const card = document.createElement('section');
  card.className = 'card events';
  card.setAttribute('aria-labelledby', 'events-title');
  const title = document.createElement('h2');
  title.id = 'events-title';
  title.textContent = 'Events';
  const list = document.createElement('ol');
  list.tabIndex = 0;
  list.setAttribute('aria-labelledby', 'events-title');
  card.append(title, list);
  return { card, list };
}
